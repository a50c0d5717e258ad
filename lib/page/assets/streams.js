// The table of streams. Of however many rows sluice has, the page holds those in sight and a few around them: it asks
// for them sorted and filtered, and only those in sight are elements.
import {CreditBar} from './credit.js';
import {el, mark, say, targetLink} from './dom.js';
import {brief, count, rate, span} from './format.js';
import {holderOf, holderText, stateOf} from './model.js';

const MORE = 6;      // rows above and below what is in sight that are elements
const AROUND = 24;   // that are asked for, so that a short way needs no question
const MOST = 200;    // rows of one question
const MOST_WORDS = 16; // that sluice looks for
const MOST_LETTERS = 120;

// `sort`: the field that sluice sorts by; `first`: the order that a first click gives. `put` fills a cell that `make` has made.
const COLUMNS = [
    {key: 'stream', sort: 'id', title: 'Stream', first: 'asc', make: makeName, put: putName},
    {key: 'state', sort: 'level', title: 'State', first: 'desc', make: makeState, put: putState},
    {key: 'credit', sort: 'held_share', title: 'Credit held', first: 'desc', make: makeCredit, put: putCredit},
    {key: 'by', sort: 'held_by', title: 'Held by', first: 'asc', put: putHolder},
    {key: 'held', sort: 'held', title: 'Updates held', short: 'Held', first: 'desc', number: true, put: (cell, row) => putText(cell, brief(row.held))},
    {key: 'blocked', sort: 'blocked_s', title: 'Blocked', first: 'desc', number: true, put: putBlocked},
    {key: 'rate', sort: 'received_per_s', title: 'Updates/s', first: 'desc', number: true, put: (cell, row) => putText(cell, rate(row.received_per_s))},
    {key: 'lag', sort: 'lag_s', title: 'Lag', first: 'desc', number: true, put: (cell, row) => putText(cell, span(row.lag_s))},
    {key: 'error', sort: 'last_error', title: 'Last error', first: 'desc', put: (cell, row) => putText(cell, row.last_error ?? '', row.last_error)},
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

function putHolder(cell, row, sinks) {
    const holder = holderOf(row);
    putText(cell, holder ? holderText(holder, sinks) : '', holder && `${count(holder.held)} updates`);
}

export class StreamsTable {
    #rows = [];
    #offset = 0;    // of the first of them
    #total = 0;     // that fit the filter
    #slots = [];
    #filter = '';
    #sort = {key: 'state', order: 'desc'};
    #isPending = false;
    sinks = [];     // to say by which broker
    #isOld = true;  // what is there was asked for by another filter or order

    /** `onSort` is told of a click; `onWant`, that rows are missing. */
    constructor(scroller, {onSort, onWant}) {
        this.scroller = scroller;
        this.onWant = onWant;
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
        scroller.addEventListener('keydown', (event) => this.#onKey(event));
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

    /** What to ask for: the rows in sight, and a few around them. */
    wanted() {
        const {first, last} = this.#sight();
        const offset = Math.max(0, first - AROUND);
        return {filter: this.#filter, sort: COLUMNS.find(({key}) => key === this.#sort.key).sort, order: this.#sort.order,
            offset, limit: Math.min(MOST, last - offset + AROUND)};
    }

    /** What was answered to `asked`; an answer to what is not wanted any more is left. */
    take({total, streams}, asked) {
        const now = this.wanted();
        if (['filter', 'sort', 'order'].some((name) => asked[name] !== now[name])) {
            return false;
        }
        this.#rows = streams;
        this.#offset = asked.offset;
        this.#total = total;
        this.#isOld = false;
        mark(this.scroller, 'aria-busy', null);
        mark(this.table, 'aria-rowcount', String(total + 1));
        this.empty.hidden = total > 0;
        say(this.empty, this.#filter ? 'No stream matches the filter.' : 'No streams yet.');
        this.#draw();
        return true;
    }

    setView(filter, key, order) {
        const known = COLUMNS.find((column) => column.key === key) ?? COLUMNS[1];
        const words = filter.slice(0, MOST_LETTERS).split(/\s+/).filter(Boolean).slice(0, MOST_WORDS).join(' ');
        const isOther = words !== this.#filter || known.key !== this.#sort.key || order !== this.#sort.order;

        this.#filter = words;
        this.#sort = {key: known.key, order: order ?? known.first};
        for (const [name, head] of this.heads) {
            mark(head, 'aria-sort', name !== known.key ? 'none' : this.#sort.order === 'asc' ? 'ascending' : 'descending');
        }
        if (isOther || this.#isOld) {
            this.#isOld = true;
            this.scroller.scrollTop = 0;
            mark(this.scroller, 'aria-busy', 'true');
            this.onWant();
        }
    }

    /** To the first row, or the one below or above that with the focus. */
    focusRow(step = 0) {
        const at = this.#slots.findIndex(({root}) => root.contains(document.activeElement));
        const slot = this.#slots[at < 0 ? 0 : at + step];
        slot?.root.querySelector('a').focus();
    }

    #onKey(event) {
        const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
        if (step && !event.ctrlKey && !event.metaKey && !event.altKey && this.body.contains(document.activeElement)) {
            event.preventDefault();
            this.focusRow(step);
        }
    }

    #later() {
        if (!this.#isPending) {
            this.#isPending = true;
            requestAnimationFrame(() => {
                this.#isPending = false;
                this.#draw();
            });
        }
    }

    #sight() {
        const height = parseFloat(getComputedStyle(this.table).getPropertyValue('--row'));
        const first = Math.max(0, Math.floor(this.scroller.scrollTop / height) - MORE);
        return {height, first, last: first + Math.ceil(this.scroller.clientHeight / height) + 2 * MORE};
    }

    #draw() {
        const sight = this.#sight();
        const first = Math.min(sight.first, this.#total);
        const last = Math.min(this.#total, sight.last);
        const focused = this.body.contains(document.activeElement) ? document.activeElement.closest('tr').streamId : null;

        this.#resize(last - first);
        this.above.firstChild.style.height = `${first * sight.height}px`;
        this.below.firstChild.style.height = `${(this.#total - last) * sight.height}px`;
        this.#slots.forEach((slot, at) => this.#put(slot, this.#rows[first + at - this.#offset], first + at));
        if (focused !== null && document.activeElement?.closest('tr')?.streamId !== focused) {
            const slot = this.#slots.find(({root}) => root.streamId === focused);
            (slot ? slot.root.querySelector('a') : this.scroller).focus({preventScroll: true});
        }
        if (first < this.#offset || last > this.#offset + this.#rows.length) {
            this.onWant();
        }
    }

    /** A row that has not come yet has a place, and nothing in it. */
    #put(slot, row, at) {
        slot.root.classList.toggle('coming', !row);
        slot.root.streamId = row?.id ?? null;
        mark(slot.root, 'aria-rowindex', String(at + 2));
        mark(slot.root, 'data-level', row ? stateOf(row)[0] : null);
        if (row) {
            COLUMNS.forEach((column, index) => column.put(slot.cells[index], row, this.sinks));
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
