/** What remotes say in their error answers, read from the exceptions and results of the clients that the application has. */
@NullMarked
package dev.guardedby.spring.answers;

import org.jspecify.annotations.NullMarked;
