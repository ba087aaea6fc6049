/** The circuit breaker: cuts calls off that fail too often, lets them recover, and counts what they cost. */
@NullMarked
package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.NullMarked;
