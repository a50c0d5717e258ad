// What sluice decided, newest first: the lines of its log from info upwards.
import {el, targetLink} from './dom.js';
import {clock} from './format.js';

export const MOST = 100;
const LEVELS = {error: 'bad', warning: 'held', warn: 'held', notice: 'ok'};

function line(event) {
    const fields = Object.entries(event.fields ?? {});
    const words = el('span', {class: 'fields'});

    for (const [name, value] of fields) {
        words.append(' ', el('span', {class: 'key', text: `${name}=`}),
            name === 'target' ? el('a', {href: targetLink(String(value)), text: String(value)}) : String(value));
    }
    return el('li', {data: {level: LEVELS[event.level] ?? 'info'}},
        el('time', {dateTime: event.at, text: clock(event.at)}),
        el('span', {class: 'level', text: event.level}), el('span', {class: 'what'}, el('b', {text: event.msg}), words));
}

export class Events {
    next = 0;

    constructor(root) {
        this.list = el('ol');
        this.empty = el('p', {class: 'empty', text: 'Nothing yet.'});
        root.append(this.list, this.empty);
    }

    /** One answer of /events. Numbers that begin anew are another sluice's. */
    add({next, events}) {
        if (next < this.next) {
            this.list.replaceChildren();
        }
        this.next = next;
        this.list.prepend(...events.slice(-MOST).reverse().map(line));
        while (this.list.childElementCount > MOST) {
            this.list.lastElementChild.remove();
        }
        this.empty.hidden = this.list.childElementCount > 0;
    }
}
