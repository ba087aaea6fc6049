/**
 * Circuit breakers that know what a call costs.
 *
 * <p>{@link dev.guardedby.circuitbreaker.CircuitBreaker} guards a call; everything else is what it takes or answers.
 */
@NullMarked
package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.NullMarked;
