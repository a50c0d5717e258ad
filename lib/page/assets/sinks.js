// Sinks: what each has in hand, how long its reports take, and where its records wait.
import {el} from './dom.js';
import {brief, bytes, count, duration, plural} from './format.js';
import {brokerText, joinSinks} from './model.js';

const MOST_PLACES = 8;
const MOST_PARTITIONS = 64;

function facts(pairs) {
    return el('dl', {class: 'facts'}, ...pairs.map(([name, value, level]) =>
        el('div', {data: level ? {level} : {}}, el('dt', {text: name}), el('dd', {text: value}))));
}

function places(sink) {
    const rows = sink.destinations.filter((one) => one.held > 0).sort((a, b) => b.held - a.held);
    const most = rows[0]?.held ?? 0;

    if (rows.length === 0) {
        return null;
    }
    const list = el('ul', {class: 'places', 'aria-label': `Where records of ${sink.name} wait`});
    for (const one of rows.slice(0, MOST_PLACES)) {
        const bar = el('i');
        bar.style.width = `${(100 * one.held) / most}%`;
        list.append(el('li', {}, el('span', {class: 'place', text: one.name || '–', title: one.name}),
            el('span', {class: 'gauge', 'aria-hidden': 'true'}, bar), el('b', {text: `${brief(one.held)} held`})));
    }
    if (rows.length > MOST_PLACES) {
        list.append(el('li', {class: 'note', text: `and ${count(rows.length - MOST_PLACES)} more`}));
    }
    return list;
}

/** Where each partition is, and what waits for it; those that have most first. */
function partitions(sink, open) {
    if (sink.partitions.length === 0) {
        return null;
    }
    const waiting = (row) => row.queued_records + row.sent_records;
    const rows = [...sink.partitions].sort((a, b) => waiting(b) - waiting(a)
        || a.destination.localeCompare(b.destination) || (a.partition ?? -1) - (b.partition ?? -1));
    const titles = ['Partition', 'Broker', 'Queued', 'Sent', 'Latency'];
    const cells = (row) => [`${row.destination} [${row.partition ?? '–'}]`, row.broker ?? '–',
        row.queued_records > 0 ? `${brief(row.queued_records)} · ${bytes(row.queued_bytes)}` : '0', brief(row.sent_records),
        row.report_latency_s > 0 ? duration(row.report_latency_s) : '–'];
    const table = el('table', {class: 'plain'},
        el('thead', {}, el('tr', {}, ...titles.map((text, at) => el('th', {scope: 'col', text, class: at > 0 ? 'number' : ''})))),
        el('tbody', {}, ...rows.slice(0, MOST_PARTITIONS).map((row) =>
            el('tr', {}, ...cells(row).map((text, at) => el('td', {class: at > 0 ? 'number' : '', text: String(text)}))))));
    const brokers = new Set(rows.map((row) => row.broker).filter((id) => id !== null)).size;
    const more = rows.length > MOST_PARTITIONS ? `, the first ${MOST_PARTITIONS} of them here` : '';
    const by = brokerText(sink, null);
    return el('details', {open, data: {sink: sink.name}},
        el('summary', {text: `${plural(rows.length, 'partition')} at ${plural(brokers, 'broker')}${by ? `; records wait for ${by}` : ''}${more}`}),
        el('div', {class: 'across', tabIndex: 0, role: 'region', 'aria-label': `Partitions of ${sink.name}`}, table));
}

function chip(sink) {
    if (!sink.taking) {
        return el('span', {class: 'chip', data: {level: 'held'}, text: sink.backoff_s > 0 ? `starts again in ${duration(sink.backoff_s)}` : 'takes nothing'});
    }
    return sink.overdue > 0 ? el('span', {class: 'chip', data: {level: 'wait'}, text: 'reports overdue'})
        : el('span', {class: 'chip', data: {level: 'ok'}, text: 'taking'});
}

function card(sink, isOpen) {
    const troubles = sink.troubles.filter((one) => one.count > 0);
    const about = [sink.type, sink.required === false ? 'optional' : null, sink.instances > 1 ? `${sink.instances} workers` : null];

    return el('article', {class: 'sink', 'aria-label': `Sink ${sink.name}`},
        el('header', {}, el('h3', {text: sink.name}), el('span', {class: 'rest', text: about.filter(Boolean).join(' · ')}), chip(sink)),
        facts([
            ['report latency', duration(sink.report_latency_s)],
            ['oldest unreported', sink.in_flight > 0 ? duration(sink.oldest_s) : '–', sink.oldest_s > 5 ? 'held' : null],
            ['in flight', count(sink.in_flight)],
            ['queued', `${brief(sink.queued_records)} · ${bytes(sink.queued_bytes)}`],
            ['full for', sink.full_s > 0 ? duration(sink.full_s) : '–'],
            ['retries · restarts', `${brief(sink.retries)} · ${brief(sink.restarts)}`],
        ]),
        troubles.length > 0 ? el('p', {class: 'troubles', text: troubles.map((one) => `${one.reason} ×${count(one.count)}`).join(', ')}) : null,
        places(sink), partitions(sink, isOpen));
}

/** Draws all of them anew; they are few. What was opened stays open. */
export function showSinks(root, rows) {
    const open = new Set([...root.querySelectorAll('details[open]')].map((one) => one.dataset.sink));
    const focused = root.contains(document.activeElement) ? document.activeElement.closest('details')?.dataset.sink : null;
    const sinks = joinSinks(rows);

    root.replaceChildren(...(sinks.length > 0 ? sinks.map((sink) => card(sink, open.has(sink.name)))
        : [el('p', {class: 'empty', text: 'No sinks.'})]));
    if (focused) {
        [...root.querySelectorAll('details')].find((one) => one.dataset.sink === focused)?.querySelector('summary').focus({preventScroll: true});
    }
}
