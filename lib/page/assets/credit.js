// The credit bar: a stream's limit, and whose it is now.
import {el, mark, say} from './dom.js';
import {bytes, bytesOf} from './format.js';

const PARTS = ['granted', 'held', 'free'];

/** What a device may send at once is its limit. Of it, granted is its to send; held was received and is not
 *  acknowledged; free was given back, and will be announced (a little of it always waits for company). */
export function split(row) {
    return {
        granted: row.granted_bytes,
        held: row.held_bytes + (row.assembling_bytes ?? 0),
        free: row.free_bytes + (row.pending_bytes ?? 0),
    };
}

export class CreditBar {
    constructor() {
        this.parts = Object.fromEntries(PARTS.map((name) => [name, el('i', {class: name})]));
        this.bar = el('span', {class: 'credit', role: 'img'}, ...Object.values(this.parts));
        this.text = el('span', {class: 'credit-text', 'aria-hidden': 'true'});
        this.root = el('span', {class: 'credit-box'}, this.bar, this.text);
    }

    show(row) {
        const parts = split(row);

        for (const name of PARTS) {
            const share = String(parts[name]);
            if (this.parts[name].style.flexGrow !== share) {
                this.parts[name].style.flexGrow = share;
            }
        }
        mark(this.bar, 'aria-label', `granted ${bytes(parts.granted)}, held ${bytes(parts.held)}, free ${bytes(parts.free)} of ${bytes(row.limit_bytes)}`);
        mark(this.bar, 'data-held', parts.held > 0 ? String(parts.held) : null);
        say(this.text, bytesOf(parts.held, row.limit_bytes));
        mark(this.text, 'data-level', row.blocked ? 'held' : null);
    }
}
