/** Prices of models: those that are written in the settings, and those that a file has. */
@NullMarked
package dev.guardedby.spring.prices;

import org.jspecify.annotations.NullMarked;
