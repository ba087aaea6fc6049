package dev.guardedby.spring.kotlin

import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flowOf
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import reactor.core.publisher.Mono
import java.io.File
import java.net.URLClassLoader
import java.util.concurrent.CompletableFuture
import kotlin.reflect.KClass

internal class KotlinStartupTest {
    @Test
    fun classOrFunctionThatIsNotOpen_failsStartup_withTheWayOut() {
        for (bean in listOf(Closed::class, ClosedFunction::class)) {
            assertThat(refusal(bean))
                .startsWith("@GuardedBy cannot guard suspend ${name(bean)}.ask(String): it is final, so that a call does not go")
                .contains("Make it open, with its class, as Kotlin's compiler plugin 'spring' does for annotations of Spring, or")
        }
    }

    @Test
    fun closedClass_isGuarded_whereCallersKnowItsInterface() =
        application(ClosedModel::class)
            .withPropertyValues("spring.aop.proxy-target-class=false")
            .tell {
                assertThat(bean<Model>().ask("a")).isEqualTo("a")
                assertThat(history("model")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")
            }

    @Test
    fun suspendFunction_thatReturnsWhatEndsLater_failsStartup() {
        assertThat(refusal(Later::class))
            .isEqualTo(
                "@GuardedBy cannot guard suspend ${name(Later::class)}.ask(String): nobody can see how the" +
                    " java.util.concurrent.CompletableFuture that it returns ends. Wait for it in the function and let that" +
                    " return the value.",
            )
        assertThat(refusal(LaterStill::class)).contains("nobody can see how the reactor.core.publisher.Mono that it")
        assertThat(refusal(LaterDeferred::class)).contains("nobody can see how the kotlinx.coroutines.Deferred that it")
    }

    @Test
    fun flowOfASubtype_failsStartup() {
        assertThat(refusal(Hot::class))
            .isEqualTo(
                "@GuardedBy cannot guard ${name(Hot::class)}.ask(): nobody can see how the" +
                    " kotlinx.coroutines.flow.StateFlow that it returns ends. Let it return kotlinx.coroutines.flow.Flow.",
            )
        assertThat(refusal(HotLater::class)).contains("Let it return kotlinx.coroutines.flow.Flow")
    }

    @Test
    fun misspeltVariable_failsStartup_andTheContinuationIsNone() {
        assertThat(refusal(Misspelt::class))
            .contains("asks for #question2, but there is no such variable. Use #a0, #p0, #question, #result;")
    }

    @Test
    fun missingBridge_failsStartup_andSaysWhatToAdd() {
        val bridge = "org.jetbrains.kotlinx:kotlinx-coroutines-reactor"
        val reflection = "org.jetbrains.kotlin:kotlin-reflect"
        assertThat(refusalWithout("Suspending", "kotlinx-coroutines-reactor"))
            .isEqualTo(
                "@GuardedBy cannot guard suspend ${name(Suspending::class)}.ask(String): Spring needs $bridge to call a" +
                    " coroutine. Add $bridge to the classpath.",
            )
        assertThat(refusalWithout("Suspending", "kotlin-reflect")).endsWith("Add $reflection to the classpath.")
        assertThat(refusalWithout("Suspending", "kotlinx-coroutines-reactor", "reactor-core", "kotlin-reflect"))
            .endsWith("Add $bridge and $reflection to the classpath.")
        assertThat(refusalWithout("Flowing", "kotlinx-coroutines-reactor", "kotlinx-coroutines-reactive", "reactor-core"))
            .contains("${name(Flowing::class)}.ask()")
            .contains(bridge)
        assertThat(refusalWithout("Deferring", "kotlinx-coroutines-reactor", "kotlinx-coroutines-reactive", "reactor-core"))
            .contains("${name(Deferring::class)}.ask()")
            .contains(bridge)
        assertThat(refusalWithout("Plain", "kotlinx-coroutines", "reactor-core", "kotlin-reflect", "reactive-streams"))
            .isEqualTo("started, and guards")
    }

    private fun refusal(bean: KClass<*>): String = application(bean).startupFailure().message!!

    private fun name(bean: KClass<*>) = bean.qualifiedName

    /** What another application says, whose classpath lacks some of ours. */
    private fun refusalWithout(
        bean: String,
        vararg libraries: String,
    ): String {
        val classpath =
            System
                .getProperty("java.class.path")
                .split(File.pathSeparator)
                .map(::File)
                .filter { file -> libraries.none { file.name.startsWith(it) } }
                .map { it.toURI().toURL() }
                .toTypedArray()
        val thread = Thread.currentThread()
        val before = thread.contextClassLoader
        URLClassLoader(classpath, ClassLoader.getPlatformClassLoader()).use { loader ->
            thread.contextClassLoader = loader
            try {
                return loader
                    .loadClass("${javaClass.packageName}.OtherApplication")
                    .getMethod("start", String::class.java)
                    .invoke(null, "${javaClass.name}$$bean") as String
            } finally {
                thread.contextClassLoader = before
            }
        }
    }

    class Closed {
        @GuardedBy("closed")
        suspend fun ask(question: String): String = question
    }

    open class ClosedFunction {
        @GuardedBy("closed")
        suspend fun ask(question: String): String = question
    }

    interface Model {
        suspend fun ask(question: String): String
    }

    class ClosedModel : Model {
        @GuardedBy("model")
        override suspend fun ask(question: String): String = question
    }

    open class Later {
        @GuardedBy("later")
        open suspend fun ask(question: String): CompletableFuture<String> = CompletableFuture.completedFuture(question)
    }

    open class LaterStill {
        @GuardedBy("later")
        open suspend fun ask(question: String): Mono<String> = Mono.just(question)
    }

    open class LaterDeferred {
        @GuardedBy("later")
        open suspend fun ask(answer: Deferred<String>): Deferred<String> = answer
    }

    open class Hot {
        @GuardedBy("hot")
        open fun ask(): StateFlow<String> = throw UnsupportedOperationException()
    }

    open class HotLater {
        @GuardedBy("hot")
        open suspend fun ask(): StateFlow<String> = throw UnsupportedOperationException()
    }

    open class Misspelt {
        @GuardedBy("misspelt", cost = "#question2.length()")
        open suspend fun ask(question: String): String = question
    }

    open class Suspending {
        @GuardedBy("suspending")
        open suspend fun ask(question: String): String = question
    }

    open class Flowing {
        @GuardedBy("flowing")
        open fun ask(): Flow<String> = flowOf("a")
    }

    open class Deferring {
        @GuardedBy("deferring")
        open fun ask(): Deferred<String> = CompletableDeferred("a")
    }

    open class Plain {
        @GuardedBy("plain")
        open fun ask(): String = "guards"
    }
}
