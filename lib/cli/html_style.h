/* html_style: how the page looks, on a screen, in the dark and on paper. */
#ifndef CLI_HTML_STYLE_H
#define CLI_HTML_STYLE_H

extern const char html_style[]; /* CSS */

#endif
