// Lines over time, drawn by Chart.js (loaded before this module, as the global `Chart`).
import {el, mark, say} from './dom.js';

const MARGIN = 1.15;
const FEWEST = 30; // points that a sparkline has room for from the beginning

/** A colour of the style sheet, as the canvas needs it: of the theme that holds now. */
function colour(element, name) {
    const probe = el('i', {class: `ink-${name}`, hidden: true});
    element.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
}

function faint(rgb) {
    return rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
}

function dataset(canvas, line) {
    return {data: [], label: line.label, borderWidth: 1.5, pointRadius: 0, tension: 0, spanGaps: false, fill: line.fill ?? false,
        borderColor: colour(canvas.parentElement, line.ink), backgroundColor: faint(colour(canvas.parentElement, line.ink))};
}

/** `lines`: [{label, ink}]. With `axes` ({y: number => text, x: seconds of a point}) it is a chart, without it a sparkline. */
export class Lines {
    constructor(parent, {lines, label, axes = null, points}) {
        this.canvas = el('canvas', {role: 'img', 'aria-label': label});
        this.box = el('div', {class: axes ? 'chart' : 'spark'}, this.canvas);
        this.lines = lines;
        this.points = points;
        this.isGrowing = !axes;
        parent.append(this.box);
        this.chart = new Chart(this.canvas, {type: 'line',
            data: {labels: Array.from({length: points}, (_, at) => at), datasets: lines.map((line) => dataset(this.canvas, line))},
            options: {animation: false, responsive: true, maintainAspectRatio: false, events: [], layout: {padding: axes ? 0 : {top: 2, bottom: 1}},
                plugins: {legend: {display: false}, tooltip: {enabled: false}},
                scales: this.#scales(axes)}});
    }

    #scales(axes) {
        if (!axes) {
            return {x: {display: false}, y: {display: false, min: 0}};
        }
        const text = colour(this.box, 'muted');
        const grid = {color: colour(this.box, 'line'), borderColor: colour(this.box, 'line'), drawTicks: false};
        const font = {family: getComputedStyle(this.box).fontFamily, size: 11};
        return {
            x: {grid: {...grid, display: false}, ticks: {color: text, font, maxRotation: 0, autoSkip: false,
                callback: (_, at) => axes.x(at)}},
            y: {min: 0, grid, ticks: {color: text, font, maxTicksLimit: 5, padding: 6, callback: axes.y}},
        };
    }

    /** `series`: an array of numbers for each line, newest last; `label` says in words what is seen. */
    show(series, label) {
        const room = this.isGrowing ? Math.min(this.points, Math.max(FEWEST, series[0].length)) : this.points;
        let top = 0;

        this.chart.data.labels.length = 0;
        this.chart.data.labels.push(...Array.from({length: room}, (_, at) => at));
        series.forEach((values, at) => {
            const shown = [...new Array(Math.max(0, room - values.length)).fill(null), ...values.slice(-room)];
            this.chart.data.datasets[at].data = shown;
            top = shown.reduce((most, value) => Math.max(most, value ?? 0), top);
        });
        this.chart.options.scales.y.suggestedMax = top > 0 ? top * MARGIN : 1;
        mark(this.canvas, 'aria-label', label);
        this.chart.update('none');
    }

    /** After the theme has changed. */
    repaint() {
        this.lines.forEach((line, at) => {
            const {borderColor, backgroundColor} = dataset(this.canvas, line);
            Object.assign(this.chart.data.datasets[at], {borderColor, backgroundColor});
        });
        const {x, y} = this.chart.options.scales;
        for (const axis of [x, y].filter((one) => one.ticks)) {
            axis.ticks.color = colour(this.box, 'muted');
            axis.grid.color = axis.grid.borderColor = colour(this.box, 'line');
        }
        this.chart.update('none');
    }

    close() {
        this.chart.destroy();
        this.box.remove();
    }
}

/** One number with its name, a second line and a sparkline. */
export class Tile {
    constructor(parent, {name, ink, points}) {
        this.name = name;
        this.value = el('p', {class: 'value', text: '–'});
        this.note = el('p', {class: 'note'});
        this.root = el('div', {class: 'tile'}, el('h2', {text: name}), this.value, this.note);
        parent.append(this.root);
        this.lines = new Lines(this.root, {lines: [{label: name, ink, fill: 'origin'}], label: name, points});
    }

    show(value, note, series, level = null) {
        say(this.value, value);
        say(this.note, note);
        mark(this.root, 'data-level', level);
        this.lines.show([series], `${this.name}, the last minutes: now ${value}`);
    }
}
