// The page: asks sluice every two seconds, and shows what it said.
import {ApiError, allStreams, get, setToken} from './api.js';
import {Tile} from './charts.js';
import {byId, el, mark, say} from './dom.js';
import {Events} from './events.js';
import {brief, bytes, count, duration, percent, rate} from './format.js';
import {History, Rates, joinSinks, lags, verdict} from './model.js';
import {showSinks} from './sinks.js';
import {StreamsTable} from './streams.js';
import {TargetPage} from './target.js';

const EVERY_MS = 2000;
const MANY_ROWS = 2000;       // above this many streams
const EVERY_MANY_MS = 5000;   // all rows come this often
const SLOWEST_MS = 30000;
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

const state = {status: null, streams: [], sinks: [], streamsAt: -Infinity, failures: 0, answeredAt: null, isPaused: false};
const rates = new Rates();
const history = new History();
const events = new Events(byId('events'));
let tiles = null;
let targetPage = null;
let timer = null;
let isAsking = false;

// ---- where we are: #/?q=…&sort=…&order=… or #/target/NAME ----

function view() {
    const [, target] = /^#\/target\/([^?]+)$/.exec(location.hash) ?? [];
    const query = new URLSearchParams(/^#\/?\?(.*)$/.exec(location.hash)?.[1] ?? '');
    return {target: target ? decodeURIComponent(target) : null, q: query.get('q') ?? '',
        sort: query.get('sort') ?? 'state', order: query.get('order') === 'asc' ? 'asc' : 'desc'};
}

let overview = view();

function go(changes) {
    const {q, sort, order} = {...overview, ...changes};
    const query = new URLSearchParams({...(q ? {q} : {}), ...(sort === 'state' && order === 'desc' ? {} : {sort, order})});
    replaceHash(`#/${query.size > 0 ? `?${query}` : ''}`);
    route();
}

function replaceHash(hash) {
    window.history.replaceState(null, '', hash);
}

const table = new StreamsTable(byId('streams'), {
    onSort: (sort, order) => go({sort, order}),
    onShown: (shown, all) => say(byId('shown'), shown === all ? count(all) : `${count(shown)} of ${count(all)}`),
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
    mark(document.body, 'data-stale', state.failures > 0 ? '' : null);
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
    const lag = lags(state.streams);
    const latency = state.sinks.reduce((most, sink) => Math.max(most, sink.report_latency_s ?? 0), 0);
    const oldest = state.sinks.reduce((most, sink) => Math.max(most, sink.in_flight > 0 ? sink.oldest_s ?? 0 : 0), 0);
    const values = {received: now.received, published: now.published, held: totals.held, memory: memory.held_bytes, latency, lag: lag.worst};

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
    show('lag', duration(lag.worst), lag.middle === null ? 'no device times yet' : `worst; middle ${duration(lag.middle)}`);
}

function showAll() {
    const {status} = state;
    const now = rates.of('', status.totals, status.uptime_s);

    say(byId('who'), `${status.collector} · ${status.version} · up ${duration(status.uptime_s)}${status.generation > 1 ? ` · generation ${status.generation}` : ''}`);
    showVerdict(verdict(status, state.streams, state.sinks, now));
    showTiles(now);
}

// ---- asking ----

function takeStreams(rows) {
    const uptime_s = state.status.uptime_s;

    for (const row of rows) {
        row.rate = rates.of(row.id, row, uptime_s).received;
    }
    rates.keep(new Set(['', ...rows.map((row) => row.id)]));
    state.streams = rows;
    state.streamsAt = performance.now();
    table.setRows(rows);
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
            page.show(found, state.status.uptime_s);
        }
    } catch (error) {
        if (!(error instanceof ApiError) || error.status === 401 || page !== targetPage) {
            throw error;
        }
        page.fail(error.status === 404 ? `There is no target ${page.name}.` : error.message);
    }
}

async function ask() {
    const pace = state.streams.length > MANY_ROWS ? EVERY_MANY_MS : EVERY_MS;

    state.status = await get('status');
    const parts = [askPart(get('sinks'), ({sinks}) => {
        state.sinks = joinSinks(sinks);
        showSinks(byId('sinks'), sinks);
    }), askPart(get(`events?after=${events.next}&limit=300`), (found) => events.add(found))];
    if (performance.now() - state.streamsAt >= pace * 0.9) {
        parts.push(askPart(allStreams(), takeStreams));
    }
    if (targetPage) {
        parts.push(askTarget(targetPage));
    }
    await Promise.all(parts);
    showAll();
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
    const since = state.answeredAt ? ` Its last answer came ${duration((performance.now() - state.answeredAt) / 1000)} ago; what is below is from then.` : '';
    showVerdict({level: 'bad', headline: error.status === 0 ? 'sluice does not answer.' : 'sluice answers with an error.',
        summary: `${error.message}.${since} Asking again in ${duration(delay() / 1000)}.`, reasons: []});
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
        state.answeredAt = performance.now();
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
document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName)
        && view().target === null) {
        event.preventDefault();
        byId('filter').focus();
    }
});
document.addEventListener('visibilitychange', () => askSoon(0));
window.addEventListener('hashchange', route);

setTheme(document.documentElement.dataset.theme ?? 'auto');
route();
askSoon(0);
