// The admin API, asked from the same origin. The token lives in this tab alone, never in an address.

const TIMEOUT_MS = 10000;
const KEY = 'sluice-token';

/** What sluice answered instead of what was asked for; `status` 0: it did not answer. */
export class ApiError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

let remembered = '';

export function setToken(token) {
    remembered = token;
    try {
        sessionStorage.setItem(KEY, token);
    } catch {
        // without storage it lives as long as the page
    }
}

function token() {
    try {
        return sessionStorage.getItem(KEY) ?? remembered;
    } catch {
        return remembered;
    }
}

async function reason(response) {
    try {
        const {error} = await response.json();
        return error.hint ? `${error.message} (${error.hint})` : error.message;
    } catch {
        return `${response.status} ${response.statusText}`;
    }
}

/** One GET below /api/v1; throws ApiError. */
export async function get(path) {
    const headers = {Accept: 'application/json'};
    let response;

    if (token()) {
        headers.Authorization = `Bearer ${token()}`;
    }
    try {
        response = await fetch(`api/v1/${path}`,
            {headers, cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS)});
    } catch (error) {
        throw new ApiError(0, error.name === 'TimeoutError' ? 'no answer in time' : 'no connection');
    }
    if (!response.ok) {
        throw new ApiError(response.status, await reason(response));
    }
    try {
        return await response.json();
    } catch {
        throw new ApiError(0, 'the answer broke off');
    }
}

/** A part of the streams, as `wanted` by the table (null: no rows), and all of them in a few numbers. */
export function streams(wanted) {
    return get(`streams?${new URLSearchParams({summary: 'true', ...(wanted ?? {limit: 0})})}`);
}
