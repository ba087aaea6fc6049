package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CircuitBreaker
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration
import dev.guardedby.spring.config.GuardedByAutoConfiguration
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.springframework.beans.factory.getBean
import org.springframework.boot.autoconfigure.AutoConfigurations
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration
import org.springframework.boot.test.context.runner.ApplicationContextRunner
import org.springframework.context.ApplicationContext
import org.springframework.context.annotation.Bean
import org.springframework.resilience.annotation.EnableResilientMethods
import java.time.Duration
import java.util.function.LongSupplier
import kotlin.reflect.KClass

/** An application with the starter on a fake clock; its breakers trip at the second failure and wait ten seconds. */
internal fun application(vararg beans: KClass<*>): ApplicationContextRunner =
    beans.fold(
        ApplicationContextRunner()
            .withConfiguration(
                AutoConfigurations.of(
                    AopAutoConfiguration::class.java,
                    PropertyPlaceholderAutoConfiguration::class.java,
                    GuardedByAutoConfiguration::class.java,
                    GuardedByAopAutoConfiguration::class.java,
                ),
            ).withUserConfiguration(Time::class.java)
            .withPropertyValues("guardedby.defaults.failure-threshold=2", "guardedby.defaults.recovery-timeout=10s"),
    ) { runner, bean -> runner.withBean(bean.java) }

/** Starts the application and tells a story in it, in virtual time: `delay` takes none. */
internal fun ApplicationContextRunner.tell(story: suspend Story.() -> Unit) {
    run { context -> runTest { Story(context, this).story() } }
}

/** What went wrong when the application started. */
internal fun ApplicationContextRunner.startupFailure(): Throwable {
    var failure: Throwable? = null
    run { context -> failure = context.startupFailure }
    return generateSequence(failure ?: throw AssertionError("it has started")) { it.cause }.last()
}

/** What a call throws that must fail. */
internal suspend fun failing(call: suspend () -> Unit): Throwable {
    try {
        call()
    } catch (thrown: Throwable) {
        return thrown
    }
    throw AssertionError("the call has not failed")
}

/** A running application, and what its breakers have counted. */
internal class Story(
    val context: ApplicationContext,
    val scope: TestScope,
) {
    val wire: Wire get() = context.getBean<Wire>()

    inline fun <reified T : Any> bean(): T = context.getBean<T>()

    fun breaker(name: String): CircuitBreaker =
        bean<CircuitBreakerRegistry>().find(name).orElseThrow { AssertionError("no circuit breaker '$name'") }

    /** Lets every coroutine run until it waits. */
    @OptIn(ExperimentalCoroutinesApi::class)
    fun letOthersRun() = scope.runCurrent()

    fun pass(time: Duration) = bean<FakeTicker>().advance(time)

    /** Moves a breaker to where the next call is its probe. */
    fun readyToProbe(name: String) {
        breaker(name).forceOpen()
        pass(Duration.ofSeconds(10))
    }

    /** `"2 ok, 1 failed, 0 ignored, 3 refused, open"`. */
    fun history(name: String): String =
        with(breaker(name).stats()) {
            "${totalSuccesses()} ok, ${totalFailures()} failed, ${totalIgnored()} ignored, ${totalRejected()} refused, " +
                state().name.lowercase()
        }

    /** `"12 in, 7 out, 0.02 usd"`. */
    fun bill(name: String): String =
        with(breaker(name).stats()) {
            "${totalInputTokens()} in, ${totalOutputTokens()} out, ${totalEstimatedCost().toPlainString()} usd"
        }
}

internal open class Time {
    @Bean
    open fun guardedByTicker(): LongSupplier = FakeTicker()
}

/** Spring's own retries. */
@EnableResilientMethods
internal open class Retries

/** What is behind the bean: a test says what it does. */
internal class Wire {
    var asked = 0
        private set
    var answer: suspend (String) -> String = { "answer to $it" }

    suspend fun ask(question: String): String {
        asked++
        return answer(question)
    }
}
