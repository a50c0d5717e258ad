// What the answers mean. Pure: no element, no request.
import {bytes, count, duration, plural} from './format.js';

const HISTORY = 150; // points of a sparkline: five minutes at the usual pace
const RATES = ['received', 'published', 'filtered', 'dropped'];

/** Severity of a stream's state; what needs eyes comes first. */
export const RANK = {bad: 3, held: 2, wait: 1, ok: 0};

/** [level, words] of one stream. */
export function stateOf(row) {
    if (isHeld(row)) {
        return ['held', row.state === 'flowing' ? 'held back' : row.state];
    }
    if (row.state === 'flowing') {
        if (row.stale) {
            return ['wait', 'stale'];
        }
        return row.synced ? ['ok', 'flowing'] : ['wait', 'syncing'];
    }
    return [row.state === 'backoff' || (row.state === 'waiting' && row.last_error) ? 'bad' : 'wait', row.state];
}

/** Held by what is behind it; a device that merely uses its whole window is not. */
export function isHeld(row) {
    return row.state === 'held' || Boolean(row.stalled)
        || (row.blocked && (row.limited === 'sink' || row.limited === 'memory'));
}

/** "main › telemetry-3", the holder of most; null when nobody holds it. */
export function holderOf(row) {
    const most = (row.held_by ?? []).reduce((best, one) => (!best || one.held > best.held ? one : best), null);
    if (!most || most.held === 0) {
        return row.blocked && row.limited === 'memory' ? {sink: 'memory', destination: '', held: 0} : null;
    }
    return most;
}

export function holderText(holder) {
    return holder.destination ? `${holder.sink} › ${holder.destination}` : holder.sink;
}

/** Numbers per second between two looks at counters that only grow. */
export class Rates {
    #last = new Map();

    /** {name: per second or null} of one thing with a key; `at_s` is its own clock. */
    of(key, counters, at_s) {
        const last = this.#last.get(key);
        const rates = {};

        for (const name of RATES) {
            const moved = last ? counters[name] - last.counters[name] : NaN;
            const passed = last ? at_s - last.at_s : 0;
            rates[name] = passed > 0 && moved >= 0 ? moved / passed : null;
        }
        if (last && last.at_s === at_s) {
            return last.rates;
        }
        this.#last.set(key, {counters, at_s, rates});
        return rates;
    }

    /** Forgets what is not among `keys`. */
    keep(keys) {
        for (const key of this.#last.keys()) {
            if (!keys.has(key)) {
                this.#last.delete(key);
            }
        }
    }
}

/** The last values of a few things, for their lines. */
export class History {
    series = new Map();

    add(name, value) {
        const values = this.series.get(name) ?? [];
        values.push(value ?? null);
        if (values.length > HISTORY) {
            values.shift();
        }
        this.series.set(name, values);
    }

    of(name) {
        return this.series.get(name) ?? [];
    }
}

/** Instances of one sink on several workers are one sink to the reader. */
export function joinSinks(rows) {
    const joined = new Map();

    for (const row of rows) {
        const sink = joined.get(row.name);
        if (!sink) {
            joined.set(row.name, {...row, instances: 1, troubles: [...(row.troubles ?? [])],
                destinations: [...(row.destinations ?? [])], partitions: [...(row.partitions ?? [])]});
            continue;
        }
        sink.instances++;
        sink.taking &&= row.taking;
        for (const name of ['in_flight', 'queued_records', 'queued_bytes', 'retries', 'restarts', 'overdue', 'full_s']) {
            sink[name] = (sink[name] ?? 0) + (row[name] ?? 0);
        }
        for (const name of ['report_latency_s', 'oldest_s', 'backoff_s']) {
            sink[name] = Math.max(sink[name] ?? 0, row[name] ?? 0);
        }
        addUp(sink.troubles, row.troubles ?? [], 'reason', 'count');
        addUp(sink.destinations, row.destinations ?? [], 'name', 'held');
        sink.partitions.push(...(row.partitions ?? []));
    }
    return [...joined.values()];
}

function addUp(into, rows, key, number) {
    for (const row of rows) {
        const same = into.find((one) => one[key] === row[key]);
        if (same) {
            same[number] += row[number];
        } else {
            into.push({...row});
        }
    }
}

function tally(rows, name) {
    const counts = new Map();
    for (const row of rows) {
        const key = name(row);
        counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]);
}

function heldReasons(held, sinks) {
    const reasons = [];

    for (const [who, number] of tally(held, (row) => holderOf(row)?.sink ?? '').slice(0, 4)) {
        const sink = sinks.find((one) => one.name === who);
        const streams = plural(number, 'stream');
        if (who === '') {
            reasons.push({level: 'held', text: `${streams} held, by no sink that has records of theirs`, filter: 'state:held'});
        } else if (who === 'memory') {
            reasons.push({level: 'held', text: `${streams} wait for memory (collector.memory)`, filter: 'state:held'});
        } else {
            const places = tally(held.filter((row) => holderOf(row)?.sink === who && holderOf(row).destination),
                (row) => holderOf(row).destination);
            const where = places.length === 0 ? '' : places.length === 1 ? `, at ${places[0][0]}`
                : `, most at ${places[0][0]} (${count(places[0][1])})`;
            const age = sink?.oldest_s > 0 ? `; its oldest record waits ${duration(sink.oldest_s)}` : '';
            reasons.push({level: 'held', text: `${streams} held by sink ${who}${where}${age}`, filter: `sink:${who}`});
        }
    }
    return reasons;
}

function sinkReasons(sinks, held) {
    return sinks.filter((sink) => !sink.taking && !held.some((row) => holderOf(row)?.sink === sink.name))
        .map((sink) => ({level: sink.required === false ? 'wait' : 'bad', filter: `sink:${sink.name}`,
            text: `Sink ${sink.name} takes no records${sink.backoff_s > 0 ? `; it starts again in ${duration(sink.backoff_s)}` : ''}`}));
}

function downReasons(totals, streams) {
    const down = totals.targets - totals.targets_up;

    if (down <= 0) {
        return [];
    }
    const [error] = tally(streams.filter((row) => stateOf(row)[0] !== 'ok' && !isHeld(row) && row.last_error),
        (row) => row.last_error);
    return [{level: 'bad', filter: 'is:down',
        text: `${count(down)} of ${plural(totals.targets, 'target')} not connected${error ? `: ${error[0]}` : ''}`}];
}

/** What /readyz says beside the sinks of `known`, which have lines of their own; each once, not for each worker. */
function unreadyReasons(status, known) {
    const texts = (status.not_ready ?? []).map((text) => text.replace(/ \(worker \d+\)$/, ''))
        .filter((text) => !known.some((name) => text.includes(`sink ${name} `)));
    return [...new Set(texts)].map((text) => ({level: 'bad', text: `Not ready: ${text}`}));
}

function otherReasons(status, streams, sinks, rates) {
    const reasons = unreadyReasons(status, sinks.filter((sink) => !sink.taking).map((sink) => sink.name));
    const syncing = streams.filter((row) => stateOf(row)[1] === 'syncing').length;
    const stale = streams.filter((row) => row.stale && row.state === 'flowing').length;

    if (status.reload?.result === 'refused') {
        reasons.push({level: 'bad', text: `The last reload was refused: ${status.reload.errors?.[0] ?? 'see the log'}`});
    }
    if (rates.dropped > 0) {
        reasons.push({level: 'bad', text: `Updates are dropped: ${rates.dropped.toFixed(1)} a second`});
    }
    if (syncing > 0) {
        reasons.push({level: 'wait', text: `${plural(syncing, 'stream')} not through the first dump yet`, filter: 'state:syncing'});
    }
    if (stale > 0) {
        reasons.push({level: 'wait', text: `${plural(stale, 'stream')} stale: open, but nothing came for long`, filter: 'state:stale'});
    }
    return reasons;
}

function headline(totals, held, level) {
    const down = totals.targets - totals.targets_up;

    if (totals.targets === 0) {
        return 'No targets are configured.';
    }
    if (held > 0 && down > 0) {
        return `${plural(held, 'stream is', 'streams are')} held, ${plural(down, 'target is', 'targets are')} down.`;
    }
    if (held > 0) {
        return `${count(held)} of ${plural(totals.streams, 'stream is', held === 1 ? 'streams is' : 'streams are')} held.`;
    }
    if (down > 0) {
        return `${count(down)} of ${plural(totals.targets, 'target is', down === 1 ? 'targets is' : 'targets are')} down.`;
    }
    return {ok: 'Everything is flowing.', wait: 'Flowing, with something to look at.'}[level]
        ?? 'Flowing, but something is wrong.';
}

/** {level, headline, summary, reasons: [{level, text, filter?}]}: is everything flowing, and if not, who is held by what? */
export function verdict(status, streams, sinks, rates) {
    const {totals, memory} = status;
    const held = streams.filter(isHeld);
    const reasons = [...heldReasons(held, sinks), ...sinkReasons(sinks, held),
        ...downReasons(totals, streams), ...otherReasons(status, streams, sinks, rates)];
    const level = reasons.reduce((worst, {level: one}) => (RANK[one] > RANK[worst] ? one : worst),
        totals.targets === 0 ? 'wait' : 'ok');
    const summary = `${count(totals.targets_up)} of ${plural(totals.targets, 'target')} connected, `
        + `${count(totals.streams_synced)} of ${plural(totals.streams, 'stream')} synced, `
        + `${count(totals.held)} updates on their way (${bytes(memory?.held_bytes)}).`;
    return {level, headline: headline(totals, held.length, level), summary, reasons};
}

/** The middle and the worst of the streams' lags; null where no stream has one. */
export function lags(streams) {
    const values = streams.map((row) => row.lag_s).filter((lag) => typeof lag === 'number').sort((a, b) => a - b);
    if (values.length === 0) {
        return {middle: null, worst: null};
    }
    return {middle: values[Math.floor(values.length / 2)], worst: values[values.length - 1]};
}
