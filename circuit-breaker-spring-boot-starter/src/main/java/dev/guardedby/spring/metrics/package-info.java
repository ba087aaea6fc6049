/** Metrics: what breakers do, as Micrometer meters. */
@NullMarked
package dev.guardedby.spring.metrics;

import org.jspecify.annotations.NullMarked;
