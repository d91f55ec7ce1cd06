/** The studio: signing in, and which of its views the address names (`#/courses/{slug}`, `#/lectures/{id}`). */
import { ApiError } from './api.js';
import { fill, find, h } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { claims, session, signOut, token } from './session.js';
import { startShell } from './shell.js';
import { failure } from './state.js';
import { showCourse } from './studio/course.js';
import { showCourses } from './studio/courses.js';
import { showLecture } from './studio/lecture.js';
import { showSignIn, signInAgain } from './studio/signin.js';

const root = find('#studio');
const main = find('#content');

/** Ends what the view before is following. */
let current = new AbortController();

const views = [
  { pattern: /^#\/courses\/([^/]+)$/, show: showCourse },
  { pattern: /^#\/lectures\/([^/]+)$/, show: showLecture },
  { pattern: /^/, show: showCourses },
];

async function route() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  document.title = `${t('studio.title')} · ${t('brand')}`;
  if (!token()) {
    showSignIn(root, route);
    main.setAttribute('aria-busy', 'false');
    return;
  }
  const view = views.find(({ pattern }) => pattern.test(location.hash)) ?? views[2];
  const [, name = ''] = location.hash.match(view.pattern) ?? [];
  const body = h('div', { class: 'studio-body' });
  main.setAttribute('aria-busy', 'true');
  try {
    await view.show(body, decodeURIComponent(name), signal);
    // What everybody may read is read with an expired token, too, and the token is given up.
    if (!token() && !signal.aborted) throw new ApiError(401, null);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) {
      signOut();
      showSignIn(root, route, t('studio.rejected'));
    } else if (error instanceof ApiError && error.status === 403) {
      signOut();
      showSignIn(root, route, t('studio.notinstructor'));
    } else {
      fill(root, account(), failure('studio.title', error, route));
    }
    main.setAttribute('aria-busy', 'false');
    return;
  }
  if (signal.aborted) return;
  fill(root, account(), body);
  main.setAttribute('aria-busy', 'false');
}

function account() {
  const leave = () => {
    signOut();
    route();
  };
  return h('div', { class: 'account small muted' },
    h('span', {}, t('studio.as', { name: claims()?.name || '…' })),
    h('button', { class: 'plain', type: 'button', t: 'studio.signout', onclick: leave }));
}

session.addEventListener('expired', () => {
  // Views under way and the form to sign in say so themselves.
  if (main.getAttribute('aria-busy') === 'false' && find('#studio').querySelector('.account')) signInAgain();
});
session.addEventListener('renewed', () => root.querySelector('.account')?.replaceWith(account()));

startShell();
onLanguage(route);
addEventListener('hashchange', () => {
  scrollTo(0, 0);
  route();
});
route();
