// Before the first paint: the colours that were chosen here the last time.
(() => {
    let theme = null;
    try {
        theme = localStorage.getItem('sluice-theme');
    } catch {
        // storage may be forbidden; then the system's colours hold
    }
    if (theme === 'dark' || theme === 'light') {
        document.documentElement.dataset.theme = theme;
    }
})();
