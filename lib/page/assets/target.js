// The page of one target: #/target/NAME.
import {CreditBar, split} from './credit.js';
import {Lines} from './charts.js';
import {el, mark, say} from './dom.js';
import {brief, bytes, count, duration, rate} from './format.js';
import {holderOf, holderText, stateOf} from './model.js';

const POINTS = 150;
const STATES = {up: 'ok', connected: 'ok', ready: 'ok', dialing: 'wait', connecting: 'wait', idle: 'wait'};

function fact(name, value) {
    return value === null || value === undefined || value === '' ? null
        : el('div', {}, el('dt', {text: name}), el('dd', {text: String(value)}));
}

function creditWords(row) {
    const {granted, held, free} = split(row);
    return `${bytes(granted)} granted · ${bytes(held)} held · ${bytes(free)} free · limit ${bytes(row.limit_bytes)}`;
}

function quarantine(stream) {
    const paths = (stream.members ?? []).flatMap((member) => (member.quarantined ?? []).map((path) => `${member.subscription}: ${path}`));
    return paths.length === 0 ? null : el('div', {class: 'quarantine'}, el('h4', {text: 'Paths that the device refuses'}),
        el('ul', {}, ...paths.map((path) => el('li', {}, el('code', {text: path})))));
}

function drops(dropped) {
    const reasons = Object.entries(typeof dropped === 'object' && dropped ? dropped : {}).filter(([, number]) => number > 0);
    return reasons.length === 0 ? (typeof dropped === 'number' ? count(dropped) : '0')
        : reasons.map(([reason, number]) => `${reason} ${count(number)}`).join(', ');
}

function routes(stream) {
    if (!stream.routes?.length) {
        return null;
    }
    const titles = ['Subscription', 'Sink', 'Received', 'Published', 'Filtered', 'Dropped', 'Held', 'Where'];
    return el('div', {class: 'across', role: 'region', tabIndex: 0, 'aria-label': `Routes of ${stream.subscription}`},
        el('table', {class: 'plain'},
            el('thead', {}, el('tr', {}, ...titles.map((text, at) => el('th', {scope: 'col', text, class: at > 1 && at < 7 && at !== 5 ? 'number' : ''})))),
            el('tbody', {}, ...stream.routes.map((route) => el('tr', {},
                el('td', {text: route.subscription}), el('td', {text: route.sink}),
                ...['received', 'published', 'filtered'].map((name) => el('td', {class: 'number', text: count(route[name])})),
                el('td', {text: drops(route.dropped)}), el('td', {class: 'number', text: count(route.held)}),
                el('td', {text: (route.destinations ?? []).filter((one) => one.held > 0).map((one) => `${one.name} (${brief(one.held)})`).join(', ') || '–'}))))));
}

/** One stream, drawn anew at each look but for its bar, which moves. */
class Stream {
    constructor() {
        this.bar = new CreditBar();
        this.words = el('p', {class: 'words'});
        this.head = el('header');
        this.rest = el('div');
        this.root = el('article', {class: 'panel stream'}, this.head, this.bar.root, this.words, this.rest);
    }

    show(row, sinks) {
        const [level, words] = stateOf(row);
        const holder = holderOf(row);
        const facts = [['blocked', duration(row.blocked_s)], ['lag', duration(row.lag_s)],
            ['updates', count(row.received)], ['messages', `${count(row.messages)} · ${bytes(row.message_bytes)}`],
            ['published', count(row.published)], ['held', count(row.held)], ['worker', row.worker]];

        this.head.replaceChildren(el('h3', {text: row.subscription}), el('span', {class: 'chip', data: {level}, text: words}),
            holder ? el('span', {class: 'rest', text: `held by ${holderText(holder, sinks)}`}) : '');
        this.bar.show(row);
        say(this.words, creditWords(row));
        if (!this.rest.contains(document.activeElement)) {
            this.rest.replaceChildren(...[el('dl', {class: 'facts'}, ...facts.map(([name, value]) => fact(name, value)).filter(Boolean)),
                row.last_error ? el('p', {class: 'troubles', text: `Last error: ${row.last_error}`}) : null, quarantine(row), routes(row)].filter(Boolean));
        }
    }
}

export class TargetPage {
    #streams = new Map();
    #history = {received: [], published: []};
    #last = null;

    constructor(root, name) {
        this.root = root;
        this.name = name;
        this.title = el('h2', {text: name, tabIndex: -1});
        this.state = el('span', {class: 'chip'});
        this.facts = el('dl', {class: 'facts'});
        this.trouble = el('p', {class: 'troubles', hidden: true});
        this.list = el('div', {class: 'stream-list'});
        this.chartBox = el('div', {class: 'panel chart-panel'}, el('div', {class: 'bar'}, el('h3', {text: 'Updates per second'}),
            el('ul', {class: 'legend'}, el('li', {class: 'received', text: 'received'}), el('li', {class: 'published', text: 'published'}))));
        root.replaceChildren(el('nav', {'aria-label': 'Back'}, el('a', {href: '#/', text: '← All streams'})),
            el('section', {class: 'panel about', 'aria-label': `Target ${name}`}, el('header', {}, this.title, this.state), this.facts, this.trouble),
            this.chartBox, this.list);
        this.chart = new Lines(this.chartBox, {points: POINTS, label: `Updates per second of ${name}`,
            lines: [{label: 'received', ink: 'granted', fill: 'origin'}, {label: 'published', ink: 'ok'}],
            axes: {x: (at) => ({0: '−5 min', [POINTS * 0.4]: '−3 min', [POINTS * 0.8]: '−1 min', [POINTS - 1]: 'now'}[at] ?? null), y: (value) => rate(value)}});
    }

    /** One answer of /targets/NAME; `at_s` is sluice's clock. */
    show(target, at_s, sinks) {
        const labels = Object.entries(target.labels ?? {}).map(([key, value]) => `${key}=${value}`).join('  ');

        mark(this.root, 'aria-busy', null);
        say(this.state, target.paused ? 'paused' : target.state);
        mark(this.state, 'data-level', target.paused ? 'wait' : STATES[target.state] ?? 'bad');
        this.facts.replaceChildren(...[fact('address', target.address), fact('vendor', target.vendor && `${target.vendor}${target.known_by ? ` (by ${target.known_by})` : ''}`),
            fact('gNMI', target.gnmi_version), fact('connects', count(target.connects)), fact('from', target.source), fact('labels', labels),
            fact('workarounds', (target.workarounds ?? []).join(', '))].filter(Boolean));
        this.trouble.hidden = !target.last_error;
        say(this.trouble, target.last_error ? `Last error: ${target.last_error}` : '');
        this.#showStreams(target.streams ?? [], sinks);
        this.#showRates(target.streams ?? [], at_s);
    }

    #showStreams(rows, sinks) {
        const ids = new Set(rows.map((row) => row.subscription));

        for (const [id, stream] of this.#streams) {
            if (!ids.has(id)) {
                stream.root.remove();
                this.#streams.delete(id);
            }
        }
        for (const row of rows) {
            if (!this.#streams.has(row.subscription)) {
                const stream = new Stream();
                this.#streams.set(row.subscription, stream);
                this.list.append(stream.root);
            }
            this.#streams.get(row.subscription).show(row, sinks);
        }
    }

    #showRates(rows, at_s) {
        const sum = (name) => rows.reduce((all, row) => all + row[name], 0);
        const now = {received: sum('received'), published: sum('published'), at_s};
        const passed = this.#last ? at_s - this.#last.at_s : 0;

        for (const name of ['received', 'published']) {
            const moved = this.#last ? now[name] - this.#last[name] : -1;
            if (passed > 0) {
                this.#history[name].push(moved >= 0 ? moved / passed : null);
                this.#history[name].splice(0, this.#history[name].length - POINTS);
            }
        }
        if (passed > 0 || !this.#last) {
            this.#last = now;
        }
        const {received, published} = this.#history;
        this.chart.show([received, published], `Updates per second of ${this.name}: ${rate(received.at(-1))} received, ${rate(published.at(-1))} published`);
    }

    fail(text) {
        this.trouble.hidden = false;
        say(this.trouble, text);
    }

    repaint() {
        this.chart.repaint();
    }

    close() {
        this.chart.close();
        this.root.replaceChildren();
    }
}
