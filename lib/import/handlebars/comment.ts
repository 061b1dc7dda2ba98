/** A comment of Handlebars, which ends with two dashes. */
export function writeComment(text: string): string {
  return `{{!--${text.replaceAll('--', '- -')}--}}`;
}
