/**
 * Follows the fragment of the address to what it names: also in a link that was opened before the state had come, and to a
 * row of a long list that is not built. The browser alone finds only what is there.
 */

/**
 * @param {(id: string) => void} reveal Called to have the element with this id built, whatever hides it.
 * @returns {() => void} To be called when the state has come.
 */
export function followFragment(reveal) {
  const follow = () => {
    const id = location.hash.slice(1);
    if (id === '' || document.getElementById(id)?.matches(':target') === true) return;
    if (document.getElementById(id) === null) reveal(id);
    // The same address again: the browser scrolls to the element and marks it as the target.
    if (document.getElementById(id) !== null) location.replace(location.hash);
  };
  addEventListener('hashchange', follow);
  // A link to the fragment of the address is no change of it.
  addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a[href^="#"]') !== null) requestAnimationFrame(follow);
  });
  return follow;
}
