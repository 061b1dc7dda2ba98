/** The reader of a rendered text. Some texts are shown only with the API's token. */
export type TextReader = 'anybody' | 'token-holder';
