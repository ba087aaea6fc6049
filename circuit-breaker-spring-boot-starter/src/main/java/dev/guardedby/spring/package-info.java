/** Circuit breakers in a Spring Boot application: one annotation on a method, thresholds in {@code application.yml}. */
@NullMarked
package dev.guardedby.spring;

import org.jspecify.annotations.NullMarked;
