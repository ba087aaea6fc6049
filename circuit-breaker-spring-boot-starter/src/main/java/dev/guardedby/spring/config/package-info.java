/** Settings: how {@code application.yml} becomes circuit breakers, and what is said when it cannot. */
@NullMarked
package dev.guardedby.spring.config;

import org.jspecify.annotations.NullMarked;
