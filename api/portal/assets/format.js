/** Numbers, times and names as the interface's language writes them. */
import { language, t } from './i18n.js';

const locale = () => (language() === 'zh' ? 'zh-Hans-CN' : 'en-GB');

/** 3725 → "1:02:05"; 65 → "1:05". @param {number | null | undefined} seconds */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(Number(seconds))) : 0;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** 22800 → "6 hrs 20 mins", "6小时 20分钟"; seconds are told below ten minutes. @param {number | null | undefined} seconds */
export function spell(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds) || 0));
  if (whole < 60) return unit(whole, 'second');
  if (whole < 600) {
    const over = whole % 60;
    const full = unit(Math.floor(whole / 60), 'minute');
    return over ? `${full} ${unit(over, 'second')}` : full;
  }
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), 'hour');
  return rest ? `${hours} ${unit(rest, 'minute')}` : hours;
}

/** @param {number} value @param {'second' | 'minute' | 'hour'} name */
const unit = (value, name) =>
  new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);

/** @param {number} value */
export const count = (value) => new Intl.NumberFormat(locale()).format(value);

/** 0.756 → "75%": rounded down, since "100%" must mean done. @param {number} fraction */
export const percent = (fraction) =>
  new Intl.NumberFormat(locale(), { style: 'percent' }).format(Math.floor(fraction * 100) / 100);

/** Decimal units, as storage is sold and file managers show. @param {number} value */
export function bytes(value) {
  const names = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let step = 0;
  while (value >= 1000 && step < names.length - 1) {
    value /= 1000;
    step += 1;
  }
  const maximumFractionDigits = value < 10 && step > 0 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: names[step], unitDisplay: step ? 'short' : 'long', maximumFractionDigits }).format(value);
}

/** @param {string | null | undefined} instant RFC 3339 */
export const day = (instant) =>
  instant ? new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(new Date(instant)) : '';

/** A date without a time is the same day everywhere. @param {string} date such as 2026-12-01 */
export const calendarDay = (date) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(date));

/** @param {string} instant RFC 3339 */
export const moment = (instant) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(instant));

/** "zh" → "中文", "Chinese". @param {string} tag BCP 47 */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([locale()], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** @param {string | null | undefined} level */
export const levelName = (level) => (level ? t(`level.${level}`) : '');

/** A name list such as "Ada, Grace and Lin". @param {string[]} names */
export const list = (names) => new Intl.ListFormat(locale(), { type: 'conjunction' }).format(names);

/** "12 lectures · 6 hr". @param {{lecture_count: number, duration: number}} course */
export function extent({ lecture_count: lectures, duration }) {
  const number = lectures === 1 ? t('lectures.one') : t('lectures', { n: count(lectures) });
  return duration > 0 ? `${number} · ${spell(duration)}` : number;
}
