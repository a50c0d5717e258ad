// Elements. What comes from sluice is only ever set as text.

/** An element: `props` are its properties, `class`, `data` (an object) and attributes with a dash. */
export function el(tag, props = {}, ...children) {
    const made = document.createElement(tag);

    for (const [name, value] of Object.entries(props)) {
        if (value === null || value === undefined) {
            continue;
        }
        if (name === 'class') {
            made.className = value;
        } else if (name === 'text') {
            made.textContent = value;
        } else if (name === 'data') {
            Object.assign(made.dataset, value);
        } else if (name.includes('-') || name === 'role' || name === 'colspan') {
            made.setAttribute(name, value);
        } else {
            made[name] = value;
        }
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
}

export function byId(id) {
    return document.getElementById(id);
}

/** Sets a text only where it changed, so that nothing is announced or laid out again for nothing. */
export function say(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

/** The same for an attribute; null takes it away. */
export function mark(element, name, value) {
    if (value === null) {
        element.removeAttribute(name);
    } else if (element.getAttribute(name) !== value) {
        element.setAttribute(name, value);
    }
}

export function targetLink(name) {
    return `#/target/${encodeURIComponent(name)}`;
}
