/**
 * What a guarded call costs, beside other breakers and beside nothing at all.
 *
 * <p>{@code Comparison} runs every cell and writes {@code docs/benchmarks.md}; {@code ClosedSuccess}, {@code OneFailureInTen},
 * {@code Refused}, {@code ManyBreakers} and {@code SpringMethod} are the cells, {@code IdleBytes} weighs breakers. Classes
 * that JMH runs are public and not final, because it derives classes of its own from them.
 */
@NullMarked
package dev.guardedby.benchmarks;

import org.jspecify.annotations.NullMarked;
