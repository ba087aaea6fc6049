/** What a guarded call used, read from its result: of the clients that the application has, and of those it tells us about. */
@NullMarked
package dev.guardedby.spring.usage;

import org.jspecify.annotations.NullMarked;
