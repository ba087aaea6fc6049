/** Keys: a breaker for each tenant, model or host, and where they are kept. */
@NullMarked
package dev.guardedby.spring.keys;

import org.jspecify.annotations.NullMarked;
