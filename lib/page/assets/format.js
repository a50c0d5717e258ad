// Numbers as people read them: few digits, a unit, and always as wide as their neighbours.

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const UNKNOWN = '–';

function isNumber(value) {
    return typeof value === 'number' && Number.isFinite(value);
}

/** Three digits that count: 3.14, 31.4, 314. */
function short(value) {
    const digits = value >= 99.95 || value === 0 ? 0 : value >= 9.995 ? 1 : 2;
    return value.toFixed(digits);
}

export function count(value) {
    return isNumber(value) ? whole.format(value) : UNKNOWN;
}

/** Large counts in few letters: 12.3 k, 4.56 M. */
export function brief(value) {
    if (!isNumber(value)) {
        return UNKNOWN;
    }
    if (value < 10000) {
        return whole.format(value);
    }
    return value < 999500 ? `${short(value / 1e3)} k` : value < 999.5e6 ? `${short(value / 1e6)} M`
        : `${short(value / 1e9)} G`;
}

export function rate(value) {
    if (!isNumber(value)) {
        return UNKNOWN;
    }
    return value > 0 && value < 9.95 ? value.toFixed(1) : brief(value);
}

export function bytes(value) {
    if (!isNumber(value)) {
        return UNKNOWN;
    }
    let unit = 0;
    while (value >= 1023.5 && unit < BYTES.length - 1) {
        value /= 1024;
        unit++;
    }
    return `${unit === 0 ? whole.format(value) : short(value)} ${BYTES[unit]}`;
}

/** "4.2 of 64 KiB": both in the unit of the whole. */
export function bytesOf(part, all) {
    if (!isNumber(part) || !isNumber(all)) {
        return UNKNOWN;
    }
    const unit = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, all)) / 10)));
    const scale = 1024 ** unit;
    return `${(part / scale).toFixed(unit === 0 ? 0 : 1)} of ${Number((all / scale).toFixed(1))} ${BYTES[unit]}`;
}

export function percent(part, all) {
    return isNumber(part) && all > 0 ? `${Math.round((100 * part) / all)}%` : UNKNOWN;
}

export function duration(seconds) {
    if (!isNumber(seconds)) {
        return UNKNOWN;
    }
    if (seconds < 0) {
        return `−${duration(-seconds)}`;
    }
    if (seconds === 0) {
        return '0 s';
    }
    if (seconds < 0.0995) {
        return `${short(seconds * 1000)} ms`;
    }
    if (seconds < 0.9995) {
        return `${Math.round(seconds * 1000)} ms`;
    }
    if (seconds < 59.95) {
        return `${seconds.toFixed(1)} s`;
    }
    const total = Math.round(seconds);
    const parts = [[Math.floor(total / 86400), 'd'], [Math.floor(total / 3600) % 24, 'h'],
        [Math.floor(total / 60) % 60, 'min'], [total % 60, 's']];
    const first = parts.findIndex(([number]) => number > 0);
    return parts.slice(first, first + 2).filter(([number]) => number > 0)
        .map(([number, unit]) => `${number} ${unit}`).join(' ');
}

/** The same in one unit, for columns: 3.9 min, 2.1 h. */
export function span(seconds) {
    if (!isNumber(seconds) || seconds < 59.95) {
        return duration(seconds);
    }
    const [size, unit] = seconds < 3570 ? [60, 'min'] : seconds < 85000 ? [3600, 'h'] : [86400, 'd'];
    return `${short(seconds / size)} ${unit}`;
}

export function clock(text) {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? UNKNOWN : at.toLocaleTimeString('en-GB');
}

/** "3 streams", "1 stream". */
export function plural(number, one, many = `${one}s`) {
    return `${count(number)} ${number === 1 ? one : many}`;
}
