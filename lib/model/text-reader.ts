/** Who asks for a rendered text: some texts are shown only to whoever holds the API's token. */
export type TextReader = 'anybody' | 'token-holder';
