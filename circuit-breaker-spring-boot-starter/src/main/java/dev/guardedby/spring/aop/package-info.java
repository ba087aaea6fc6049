/**
 * The annotation at work: which methods are guarded, by what, and what happens when one is called.
 *
 * <p>{@code Declarations} finds the annotation, {@code GuardedMethods} makes of it, once for each method, everything that
 * can be decided beforehand, {@code GuardInterceptor} makes the calls, {@code FallbackInterceptor} answers for those that
 * failed, {@code StartupCheck} refuses what cannot work.
 */
@NullMarked
package dev.guardedby.spring.aop;

import org.jspecify.annotations.NullMarked;
