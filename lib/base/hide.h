/* hide: passwords taken out of what people and programs read. */
#ifndef BASE_HIDE_H
#define BASE_HIDE_H

/*
 * Replace, in place, what may be a password: between the colon and the last @ of a
 * word as SCHEME://USER:PASSWORD@HOST, or, if words, USER:PASSWORD@HOST, and behind
 * password=.
 * A net below the code that does not show them in the first place: somebody gives a
 * url where none is expected.
 */
void hide_passwords(char *text, int words);

#endif
