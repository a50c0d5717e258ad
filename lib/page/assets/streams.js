// The table of streams: of thousands of rows only those in sight are elements.
import {CreditBar, split} from './credit.js';
import {el, mark, say, targetLink} from './dom.js';
import {brief, count, rate, span} from './format.js';
import {RANK, holderOf, holderText, stateOf} from './model.js';

const MORE = 6; // rows above and below what is in sight
const collator = new Intl.Collator('en', {numeric: true}); // leaf2 before leaf10

const byText = (read) => (a, b) => collator.compare(read(a), read(b));
// What has no number comes last in both orders: NaN is smaller than all.
const byNumber = (read) => (a, b) => (read(a) ?? -Infinity) - (read(b) ?? -Infinity) || 0;
const share = (row) => (row.limit_bytes > 0 ? split(row).held / row.limit_bytes : 0);

// `first`: the order that a first click gives. `put` fills a cell that `make` has made.
const COLUMNS = [
    {key: 'stream', title: 'Stream', first: 'asc', compare: null, make: makeName, put: putName},
    {key: 'state', title: 'State', first: 'desc', compare: byNumber((row) => RANK[stateOf(row)[0]]), make: makeState, put: putState},
    {key: 'credit', title: 'Credit held', first: 'desc', compare: byNumber(share), make: makeCredit, put: putCredit},
    {key: 'by', title: 'Held by', first: 'asc', compare: byText((row) => (holderOf(row) ? holderText(holderOf(row)) : '~')),
        put: (cell, row) => putText(cell, holderOf(row) ? holderText(holderOf(row)) : '', holderOf(row) && `${count(holderOf(row).held)} updates`)},
    {key: 'held', title: 'Updates held', short: 'Held', first: 'desc', number: true, compare: byNumber((row) => row.held), put: (cell, row) => putText(cell, brief(row.held))},
    {key: 'blocked', title: 'Blocked', first: 'desc', number: true, compare: byNumber((row) => row.blocked_s), put: putBlocked},
    {key: 'rate', title: 'Updates/s', first: 'desc', number: true, compare: byNumber((row) => row.rate), put: (cell, row) => putText(cell, rate(row.rate))},
    {key: 'lag', title: 'Lag', first: 'desc', number: true, compare: byNumber((row) => row.lag_s), put: (cell, row) => putText(cell, span(row.lag_s))},
    {key: 'error', title: 'Last error', first: 'desc', compare: byText((row) => row.last_error ?? ''), put: (cell, row) => putText(cell, row.last_error ?? '', row.last_error)},
];

function putText(cell, text, title = null) {
    say(cell, text);
    mark(cell, 'title', title || null);
}

function makeName(cell) {
    cell.link = el('a', {class: 'name'});
    cell.rest = el('span', {class: 'rest'});
    cell.append(cell.link, cell.rest);
}

function putName(cell, row) {
    say(cell.link, row.target);
    mark(cell.link, 'href', targetLink(row.target));
    say(cell.rest, row.subscription);
    mark(cell, 'title', row.id);
}

function makeState(cell) {
    cell.chip = el('span', {class: 'chip'});
    cell.append(cell.chip);
}

function putState(cell, row) {
    const [level, words] = stateOf(row);
    say(cell.chip, words);
    mark(cell.chip, 'data-level', level);
}

function makeCredit(cell) {
    cell.bar = new CreditBar();
    cell.append(cell.bar.root);
}

function putCredit(cell, row) {
    cell.bar.show(row);
}

function putBlocked(cell, row) {
    putText(cell, row.blocked_s > 0 ? span(row.blocked_s) : '–', row.blocked ? `blocked now, by ${row.limited}` : null);
    mark(cell, 'data-level', row.blocked ? 'held' : null);
}

/** Words that a row is searched for; `state:`, `sink:`, `target:` and `is:` look at one thing. */
const FIELDS = {
    state: (row, word) => stateOf(row).includes(word) || row.state === word,
    sink: (row, word) => (row.held_by ?? []).some((one) => one.sink.toLowerCase() === word)
        || holderOf(row)?.sink.toLowerCase() === word,
    target: (row, word) => row.target.toLowerCase() === word,
    is: (row, word) => ({blocked: row.blocked, stale: row.stale, stalled: row.stalled, synced: row.synced,
        down: ['waiting', 'backoff'].includes(row.state)})[word] ?? false,
};

function matches(row, words) {
    const text = `${row.id} ${row.state} ${row.last_error ?? ''}`.toLowerCase();
    return words.every((word) => {
        const [, field, value] = /^(\w+):(.+)$/.exec(word) ?? [];
        return FIELDS[field] ? FIELDS[field](row, value) : text.includes(word);
    });
}

export class StreamsTable {
    #rows = [];
    #shown = [];
    #slots = [];
    #words = [];
    #sort = {key: 'state', order: 'desc'};
    #pending = false;
    #places = new Map(); // of each id in the order of names, which seldom changes

    /** `onSort` is told of a click; `onShown(shown, all)` of how many rows there are. */
    constructor(scroller, {onSort, onShown}) {
        this.scroller = scroller;
        this.onShown = onShown;
        this.heads = new Map(COLUMNS.map((column) => [column.key, this.#head(column, onSort)]));
        this.above = el('tbody', {'aria-hidden': 'true'}, el('tr', {}, el('td')));
        this.body = el('tbody');
        this.below = el('tbody', {'aria-hidden': 'true'}, el('tr', {}, el('td')));
        this.empty = el('p', {class: 'empty', hidden: true});
        this.table = el('table', {class: 'streams', 'aria-labelledby': 'streams-title'},
            el('colgroup', {}, ...COLUMNS.map(({key}) => el('col', {class: `c-${key}`}))),
            el('thead', {}, el('tr', {'aria-rowindex': '1'}, ...[...this.heads.values()])), this.above, this.body, this.below);
        scroller.append(this.table, this.empty);
        scroller.addEventListener('scroll', () => this.#later(), {passive: true});
        new ResizeObserver(() => this.#later()).observe(scroller);
    }

    #head(column, onSort) {
        const button = el('button', {type: 'button', title: `Sort by ${column.title.toLowerCase()}`},
            el('span', {text: column.short ?? column.title}), el('i', {'aria-hidden': 'true'}));
        button.addEventListener('click', () => {
            const {key, order} = this.#sort;
            onSort(column.key, key !== column.key ? column.first : order === 'asc' ? 'desc' : 'asc');
        });
        return el('th', {class: `c-${column.key}${column.number ? ' number' : ''}`, scope: 'col'}, button);
    }

    setRows(rows) {
        if (rows.length !== this.#places.size || !rows.every((row) => this.#places.has(row.id))) {
            const ids = rows.map((row) => row.id).sort(collator.compare);
            this.#places = new Map(ids.map((id, at) => [id, at]));
        }
        this.#rows = rows;
        this.#arrange();
    }

    setView(filter, key, order) {
        const known = COLUMNS.find((column) => column.key === key) ?? COLUMNS[1];
        const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
        if (words.join(' ') !== this.#words.join(' ') || known.key !== this.#sort.key || order !== this.#sort.order) {
            this.scroller.scrollTop = 0;
        }
        this.#words = words;
        this.#sort = {key: known.key, order: order ?? known.first};
        this.#arrange();
    }

    #arrange() {
        const {key, order} = this.#sort;
        const {compare} = COLUMNS.find((column) => column.key === key);
        const sign = order === 'desc' ? -1 : 1;

        for (const [name, head] of this.heads) {
            mark(head, 'aria-sort', name !== key ? 'none' : order === 'asc' ? 'ascending' : 'descending');
        }
        this.#shown = this.#rows.filter((row) => matches(row, this.#words));
        const byName = (a, b) => this.#places.get(a.id) - this.#places.get(b.id);
        this.#shown.sort(compare ? (a, b) => sign * compare(a, b) || byName(a, b) : (a, b) => sign * byName(a, b));
        mark(this.table, 'aria-rowcount', String(this.#shown.length + 1));
        this.empty.hidden = this.#shown.length > 0;
        say(this.empty, this.#rows.length > 0 ? 'No stream matches the filter.' : 'No streams yet.');
        this.onShown(this.#shown.length, this.#rows.length);
        this.#draw();
    }

    #later() {
        if (!this.#pending) {
            this.#pending = true;
            requestAnimationFrame(() => {
                this.#pending = false;
                this.#draw();
            });
        }
    }

    #draw() {
        const height = parseFloat(getComputedStyle(this.table).getPropertyValue('--row'));
        const first = Math.max(0, Math.floor(this.scroller.scrollTop / height) - MORE);
        const wanted = Math.ceil(this.scroller.clientHeight / height) + 2 * MORE;
        const last = Math.min(this.#shown.length, first + wanted);
        const focused = this.body.contains(document.activeElement) ? document.activeElement.closest('tr').streamId : null;

        this.#resize(Math.max(0, last - first));
        this.above.firstChild.style.height = `${Math.min(first, this.#shown.length) * height}px`;
        this.below.firstChild.style.height = `${Math.max(0, this.#shown.length - last) * height}px`;
        this.#slots.forEach((slot, at) => {
            const row = this.#shown[first + at];
            slot.root.streamId = row.id;
            mark(slot.root, 'aria-rowindex', String(first + at + 2));
            mark(slot.root, 'data-level', stateOf(row)[0]);
            COLUMNS.forEach((column, index) => column.put(slot.cells[index], row));
        });
        if (focused !== null && document.activeElement?.closest('tr')?.streamId !== focused) {
            const slot = this.#slots.find(({root}) => root.streamId === focused);
            (slot ? slot.root.querySelector('a') : this.scroller).focus({preventScroll: true});
        }
    }

    #resize(wanted) {
        while (this.#slots.length > wanted) {
            this.#slots.pop().root.remove();
        }
        while (this.#slots.length < wanted) {
            const cells = COLUMNS.map((column) => {
                const cell = el('td', {class: `c-${column.key}${column.number ? ' number' : ''}`});
                column.make?.(cell);
                return cell;
            });
            const root = el('tr', {}, ...cells);
            this.#slots.push({root, cells});
            this.body.append(root);
        }
    }
}
