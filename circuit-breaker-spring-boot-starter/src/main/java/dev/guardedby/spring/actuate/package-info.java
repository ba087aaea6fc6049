/** Actuator: what breakers are doing, for people and their tools, and what an operator can do about it. */
@NullMarked
package dev.guardedby.spring.actuate;

import org.jspecify.annotations.NullMarked;
