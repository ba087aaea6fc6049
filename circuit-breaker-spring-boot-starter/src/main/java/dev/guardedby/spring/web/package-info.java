/** What the clients of a web application are told when a breaker refuses a call. */
@NullMarked
package dev.guardedby.spring.web;

import org.jspecify.annotations.NullMarked;
