// What the answers mean. Pure: no element, no request.
import {bytes, count, duration, plural} from './format.js';

const HISTORY = 150; // points of a sparkline: five minutes at the usual pace
const MOST_HOLDERS = 4; // that are told of by name
const RATES = ['received', 'published', 'filtered', 'dropped'];

/** Severity of a stream's condition; what needs eyes comes first. */
const RANK = {bad: 3, held: 2, wait: 1, ok: 0};

/** [level, words] of one stream, as sluice sees it. */
export function stateOf(row) {
    return [row.level, row.condition];
}

/** "main › telemetry-3", the holder of most; null when nobody holds it. */
export function holderOf(row) {
    const most = (row.held_by ?? []).reduce((best, one) => (!best || one.held > best.held ? one : best), null);
    if (!most || most.held === 0) {
        return row.blocked && row.limited === 'memory' ? {sink: 'memory', destination: '', held: 0} : null;
    }
    return most;
}

/** `sinks`: to say by which broker, where all that waits there waits for one. */
export function holderText(holder, sinks = []) {
    const brokers = waitingBrokers(sinks.find((one) => one.name === holder.sink), holder.destination);

    return (holder.destination ? `${holder.sink} › ${holder.destination}` : holder.sink)
        + (brokers.length === 1 ? ` · broker ${brokers[0][0]}` : '');
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
                destinations: [...(row.destinations ?? [])], partitions: (row.partitions ?? []).map((one) => ({...one}))});
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
        addPartitions(sink.partitions, row.partitions ?? []);
    }
    return [...joined.values()];
}

/** Each worker has queues of its own for the same partition. */
function addPartitions(into, rows) {
    for (const row of rows) {
        const same = into.find((one) => one.destination === row.destination && one.partition === row.partition);
        if (!same) {
            into.push({...row});
            continue;
        }
        for (const name of ['queued_records', 'queued_bytes', 'sent_records']) {
            same[name] += row[name];
        }
        same.broker ??= row.broker;
        same.report_latency_s = Math.max(same.report_latency_s, row.report_latency_s);
    }
}

/** The brokers for which records of a destination (null: of any) wait, those with most first: [[id, records]]. */
export function waitingBrokers(sink, destination) {
    const waiting = new Map();

    for (const one of sink?.partitions ?? []) {
        const records = one.queued_records + one.sent_records;
        if (one.broker !== null && records > 0 && (destination === null || one.destination === destination)) {
            waiting.set(one.broker, (waiting.get(one.broker) ?? 0) + records);
        }
    }
    return [...waiting].sort((a, b) => b[1] - a[1]);
}

/** "broker 2", "brokers 1 and 3", "broker 2 most of 3"; empty where nobody knows. */
export function brokerText(sink, destination) {
    const brokers = waitingBrokers(sink, destination);

    return brokers.length === 0 ? '' : brokers.length === 1 ? `broker ${brokers[0][0]}`
        : brokers.length === 2 ? `brokers ${brokers[0][0]} and ${brokers[1][0]}` : `${brokers.length} brokers, most by ${brokers[0][0]}`;
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

function heldReasons(holders, sinks) {
    return holders.slice(0, MOST_HOLDERS).map((holder) => {
        const streams = plural(holder.streams, 'stream');
        if (holder.by === 'nobody') {
            return {level: 'held', text: `${streams} held, by no sink that has records of theirs`, filter: 'is:held'};
        }
        if (holder.by === 'memory') {
            return {level: 'held', text: `${streams} wait for memory (collector.memory)`, filter: 'is:held'};
        }
        const sink = sinks.find((one) => one.name === holder.sink);
        const where = !holder.destination ? '' : holder.destinations === 1 ? `, at ${holder.destination}`
            : `, most at ${holder.destination} (${count(holder.destination_streams)})`;
        const brokers = brokerText(sink, null);
        const by = brokers ? `, there by ${brokers}` : '';
        const age = sink?.oldest_s > 0 ? `; its oldest record waits ${duration(sink.oldest_s)}` : '';
        return {level: 'held', text: `${streams} held by sink ${holder.sink}${where}${by}${age}`, filter: `sink:${holder.sink}`};
    });
}

function sinkReasons(sinks, holders) {
    return sinks.filter((sink) => !sink.taking && !holders.some((one) => one.sink === sink.name))
        .map((sink) => ({level: sink.required === false ? 'wait' : 'bad', filter: `sink:${sink.name}`,
            text: `Sink ${sink.name} takes no records${sink.backoff_s > 0 ? `; it starts again in ${duration(sink.backoff_s)}` : ''}`}));
}

function downReasons(totals, error) {
    const down = totals.targets - totals.targets_up;

    return down <= 0 ? [] : [{level: 'bad', filter: 'is:down',
        text: `${count(down)} of ${plural(totals.targets, 'target')} not connected${error ? `: ${error}` : ''}`}];
}

/** What /readyz says beside the sinks of `known`, which have lines of their own; each once, not for each worker. */
function unreadyReasons(status, known) {
    const texts = (status.not_ready ?? []).map((text) => text.replace(/ \(worker \d+\)$/, ''))
        .filter((text) => !known.some((name) => text.includes(`sink ${name} `)));
    return [...new Set(texts)].map((text) => ({level: 'bad', text: `Not ready: ${text}`}));
}

function otherReasons(status, {syncing, stale}, sinks, rates) {
    const reasons = unreadyReasons(status, sinks.filter((sink) => !sink.taking).map((sink) => sink.name));

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

/** {level, headline, summary, reasons: [{level, text, filter?}]}: is everything flowing, and if not, who is held by what?
 *  `all` is what is said of all streams together. */
export function verdict(status, all, sinks, rates) {
    const {totals, memory} = status;
    const reasons = [...heldReasons(all.holders, sinks), ...sinkReasons(sinks, all.holders),
        ...downReasons(totals, all.last_error), ...otherReasons(status, all, sinks, rates)];
    const level = reasons.reduce((worst, {level: one}) => (RANK[one] > RANK[worst] ? one : worst),
        totals.targets === 0 ? 'wait' : 'ok');
    const summary = `${count(totals.targets_up)} of ${plural(totals.targets, 'target')} connected, `
        + `${count(totals.streams_synced)} of ${plural(totals.streams, 'stream')} synced, `
        + `${count(totals.held)} updates on their way (${bytes(memory?.held_bytes)}).`;
    return {level, headline: headline(totals, all.held, level), summary, reasons};
}
