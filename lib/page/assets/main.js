// The page: asks sluice every two seconds, and shows what it said.
import {ApiError, get, setToken, streams} from './api.js';
import {Tile} from './charts.js';
import {byId, el, mark, say} from './dom.js';
import {Events, MOST as MOST_EVENTS} from './events.js';
import {brief, bytes, clock, count, duration, percent, rate} from './format.js';
import {History, Rates, joinSinks, verdict} from './model.js';
import {showSinks} from './sinks.js';
import {StreamsTable} from './streams.js';
import {TargetPage} from './target.js';

const EVERY_MS = 2000;
const LOST = 2;           // failures in a row; one may be a worker that is very busy
const SLOWEST_MS = 5000;  // while it does not answer
const SOON_MS = 60;       // keys and wheels come in rows
const POINTS = 150;
const THEMES = ['auto', 'light', 'dark'];
const THEME_WORDS = {auto: 'Auto', light: 'Light', dark: 'Dark'};
const TILES = {
    received: {name: 'Received', ink: 'granted'},
    published: {name: 'Published', ink: 'ok'},
    held: {name: 'Held', ink: 'held'},
    memory: {name: 'Memory', ink: 'held'},
    latency: {name: 'Report latency', ink: 'muted'},
    lag: {name: 'Lag', ink: 'muted'},
};

const state = {status: null, all: null, sinks: [], failures: 0, lost: null, answeredAt: null, isPaused: false};
const rates = new Rates();
const history = new History();
const events = new Events(byId('events'));
let tiles = null;
let targetPage = null;
let timer = null;
let isAsking = false;
let wantTimer = null;
let rowsAsked = 0;   // questions for rows
let rowsTaken = 0;   // the last of them whose answer is shown

// ---- where we are: #/?q=…&sort=…&order=… or #/target/NAME ----

function view() {
    const [, target] = /^#\/target\/([^?]+)$/.exec(location.hash) ?? [];
    const query = new URLSearchParams(/^#\/?\?(.*)$/.exec(location.hash)?.[1] ?? '');
    return {target: target ? decodeURIComponent(target) : null, q: query.get('q') ?? '',
        sort: query.get('sort') ?? 'state', order: query.get('order') === 'asc' ? 'asc' : 'desc'};
}

let overview = view();

function hashOf({q, sort, order}) {
    const query = new URLSearchParams({...(q ? {q} : {}), ...(sort === 'state' && order === 'desc' ? {} : {sort, order})});
    return `#/${query.size > 0 ? `?${query}` : ''}`;
}

function go(changes) {
    replaceHash(hashOf({...overview, ...changes}));
    route();
}

function replaceHash(hash) {
    window.history.replaceState(null, '', hash);
}

const table = new StreamsTable(byId('streams'), {
    onSort: (sort, order) => go({sort, order}),
    onWant: () => wantSoon(),
});

function route() {
    const now = view();

    if (targetPage && targetPage.name !== now.target) {
        targetPage.close();
        targetPage = null;
    }
    byId('overview').hidden = now.target !== null;
    byId('target').hidden = now.target === null;
    mark(document.body, 'data-view', now.target === null ? 'overview' : 'target');
    if (now.target === null) {
        overview = now;
        if (byId('filter').value !== now.q) {
            byId('filter').value = now.q;
        }
        table.setView(now.q, now.sort, now.order);
    } else if (!targetPage) {
        targetPage = new TargetPage(byId('target'), now.target);
        targetPage.title.focus({preventScroll: true});
        window.scrollTo(0, 0);
        askSoon(0);
    }
    document.title = now.target === null ? 'sluice' : `${now.target} · sluice`;
}

// ---- what is shown ----

function showLink() {
    const level = state.isPaused ? 'wait' : state.failures > 0 ? 'bad' : state.answeredAt ? 'ok' : 'wait';
    const text = state.isPaused ? 'paused' : state.failures > 0 ? 'no answer' : state.answeredAt ? 'live' : 'connecting';

    mark(byId('link'), 'data-level', level);
    say(byId('link-text'), text);
    mark(document.body, 'data-stale', state.failures >= LOST ? '' : null);
}

function showVerdict({level, headline, summary, reasons}) {
    mark(byId('verdict'), 'data-level', level);
    say(byId('headline'), headline);
    say(byId('summary'), summary);
    const list = byId('reasons');
    const items = reasons.filter(({text}) => text !== headline);
    list.hidden = items.length === 0;
    items.forEach((reason, at) => showReason(list.children[at] ?? list.appendChild(makeReason()), reason));
    while (list.childElementCount > items.length) {
        list.lastElementChild.remove();
    }
}

function makeReason() {
    const item = el('li', {});
    item.text = el('span', {});
    item.button = el('button', {type: 'button', class: 'quiet', text: 'Show'});
    item.button.addEventListener('click', () => {
        replaceHash('#/');
        go({q: item.filter});
        byId('streams').focus();
        byId('streams').scrollIntoView({block: 'nearest'});
    });
    item.append(item.text, item.button);
    return item;
}

function showReason(item, reason) {
    item.filter = reason.filter;
    say(item.text, reason.text);
    mark(item, 'data-level', reason.level);
    item.button.hidden = !reason.filter;
    mark(item.button, 'aria-label', reason.filter ? `Show these streams: ${reason.text}` : null);
}

function makeTiles() {
    return Object.fromEntries(Object.entries(TILES).map(([key, tile]) => [key, new Tile(byId('tiles'), {...tile, points: POINTS})]));
}

function showTiles(now) {
    const {totals, memory} = state.status;
    const {lag_worst_s: worst, lag_middle_s: middle} = state.all;
    const latency = state.sinks.reduce((most, sink) => Math.max(most, sink.report_latency_s ?? 0), 0);
    const oldest = state.sinks.reduce((most, sink) => Math.max(most, sink.in_flight > 0 ? sink.oldest_s ?? 0 : 0), 0);
    const values = {received: now.received, published: now.published, held: totals.held, memory: memory.held_bytes, latency, lag: worst};

    for (const [key, value] of Object.entries(values)) {
        history.add(key, value);
    }
    tiles ??= makeTiles();
    const show = (key, value, note, level) => tiles[key].show(value, note, history.of(key), level);
    show('received', `${rate(now.received)}/s`, `${brief(totals.received)} updates in all`);
    show('published', `${rate(now.published)}/s`, `${brief(totals.published)} published, ${brief(totals.filtered)} filtered`);
    show('held', brief(totals.held), totals.dropped > 0 ? `${brief(totals.dropped)} dropped` : 'updates; none dropped', totals.dropped > 0 ? 'bad' : null);
    show('memory', bytes(memory.held_bytes), `of ${bytes(memory.limit_bytes)}, ${percent(memory.promised_bytes, memory.limit_bytes)} promised`);
    show('latency', duration(latency), oldest > 0 ? `oldest unreported ${duration(oldest)}` : 'nothing unreported', oldest > 5 ? 'held' : null);
    show('lag', duration(worst), middle === null ? 'no device times yet' : `worst; middle ${duration(middle)}`);
}

function showAll() {
    const {status} = state;
    const now = rates.of('', status.totals, status.uptime_s);

    say(byId('who'), `${status.collector} · ${status.version} · up ${duration(status.uptime_s)}${status.generation > 1 ? ` · generation ${status.generation}` : ''}`);
    showVerdict(verdict(status, state.all, state.sinks, now));
    showTiles(now);
}

// ---- asking ----

/** The rows in sight, and all streams in a few numbers. */
async function askRows() {
    const wanted = view().target === null ? table.wanted() : null;
    const number = ++rowsAsked;
    const found = await streams(wanted);

    state.all = found.summary;
    if (wanted && number > rowsTaken && table.take(found, wanted)) {
        rowsTaken = number;
        say(byId('shown'), found.total === state.all.streams ? count(found.total) : `${count(found.total)} of ${count(state.all.streams)}`);
    }
}

/** Rows that are missing come at once; what else there is to say of a failure, the next look says. */
function wantSoon() {
    clearTimeout(wantTimer);
    wantTimer = setTimeout(() => {
        if (state.status && !byId('login').open) {
            askPart(askRows(), () => {}).catch(failed);
        }
    }, SOON_MS);
}

/** A part that does not answer leaves what it said before; /status has to. */
async function askPart(asked, take) {
    try {
        take(await asked);
    } catch (error) {
        if (!(error instanceof ApiError) || error.status === 401 || error.status === 403) {
            throw error;
        }
    }
}

async function askTarget(page) {
    try {
        const found = await get(`targets/${encodeURIComponent(page.name)}`);
        if (page === targetPage) {
            page.show(found, state.status.uptime_s, state.sinks);
        }
    } catch (error) {
        if (!(error instanceof ApiError) || error.status === 401 || page !== targetPage) {
            throw error;
        }
        page.fail(error.status === 404 ? `There is no target ${page.name}.` : error.message);
    }
}

async function ask() {
    state.status = await get('status');
    const parts = [askPart(get('sinks'), ({sinks}) => {
        state.sinks = table.sinks = joinSinks(sinks);
        showSinks(byId('sinks'), sinks);
    }), askPart(get(`events?after=${events.next}&limit=${MOST_EVENTS}&newest=true`), (found) => events.add(found)), askPart(askRows(), () => {})];
    if (targetPage) {
        parts.push(askTarget(targetPage));
    }
    await Promise.all(parts);
    if (state.all) {
        showAll();
    }
}

function login(why) {
    const dialog = byId('login');
    if (!dialog.open) {
        say(byId('login-why'), why);
        dialog.showModal();
    }
}

function failed(error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        say(byId('headline'), 'sluice wants a token.');
        mark(byId('verdict'), 'data-level', 'wait');
        login(error.status === 403 ? `That token is not enough: ${error.message}`
            : 'The admin API is protected. The token stays in this tab until it is closed.');
        return;
    }
    if (!(error instanceof ApiError)) {
        throw error;
    }
    state.failures++;
    state.lost = error;
    showLost();
}

/** In whole seconds. */
function ago(at) {
    const seconds = Math.round((Date.now() - at) / 1000);
    return seconds < 60 ? `${seconds} s` : duration(seconds);
}

/** The banner, while there is no answer: since when, and that what is below is from then. */
function showLost() {
    if (state.failures < LOST) {
        return;
    }
    const {status, message} = state.lost;
    const {answeredAt} = state;
    const since = answeredAt ? ` Its last answer came at ${clock(answeredAt)}, ${ago(answeredAt)} ago; what is below is from then.` : '';
    const what = message.charAt(0).toUpperCase() + message.slice(1);
    showVerdict({level: 'bad', headline: status === 0 ? 'sluice does not answer.' : 'sluice answers with an error.',
        summary: `${what}.${since} Asking again every ${delay() / 1000} s.`, reasons: []});
}

function delay() {
    return Math.min(SLOWEST_MS, EVERY_MS * 2 ** Math.max(0, state.failures - 1));
}

function askSoon(after_ms) {
    clearTimeout(timer);
    timer = setTimeout(tick, after_ms);
}

async function tick() {
    if (isAsking || document.hidden || state.isPaused || byId('login').open) {
        return;
    }
    isAsking = true;
    try {
        await ask();
        state.failures = 0;
        state.answeredAt = Date.now();
    } catch (error) {
        failed(error);
    } finally {
        isAsking = false;
        showLink();
        askSoon(delay());
    }
}

// ---- what people do ----

function setTheme(theme) {
    const button = byId('theme');

    if (theme === 'auto') {
        delete document.documentElement.dataset.theme;
    } else {
        document.documentElement.dataset.theme = theme;
    }
    say(button, THEME_WORDS[theme]);
    mark(button, 'aria-label', `Colours: ${theme === 'auto' ? 'as the system' : theme}`);
    for (const tile of Object.values(tiles ?? {})) {
        tile.lines.repaint();
    }
    targetPage?.repaint();
}

function nextTheme() {
    const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? 'auto') + 1) % THEMES.length];
    try {
        localStorage.setItem('sluice-theme', theme);
    } catch {
        // then it holds until the page is left
    }
    setTheme(theme);
}

byId('theme').addEventListener('click', nextTheme);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme(document.documentElement.dataset.theme ?? 'auto'));
byId('pause').addEventListener('click', () => {
    state.isPaused = !state.isPaused;
    mark(byId('pause'), 'aria-pressed', String(state.isPaused));
    say(byId('pause'), state.isPaused ? 'Go on' : 'Pause');
    showLink();
    askSoon(0);
});
byId('filter').addEventListener('input', () => go({q: byId('filter').value}));
byId('login-form').addEventListener('submit', (event) => {
    event.preventDefault();
    setToken(byId('token').value);
    byId('token').value = '';
    byId('login').close();
    askSoon(0);
});
byId('filter').addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') {
        event.preventDefault();
        table.focusRow();
    }
});
document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && view().target !== null && !byId('login').open) {
        location.hash = hashOf(overview);
    }
    if (event.key === '/' && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName)
        && view().target === null) {
        event.preventDefault();
        byId('filter').focus();
    }
});
document.addEventListener('visibilitychange', () => askSoon(0));
window.addEventListener('online', () => askSoon(0));
setInterval(showLost, 1000);
window.addEventListener('hashchange', route);

setTheme(document.documentElement.dataset.theme ?? 'auto');
route();
askSoon(0);
