package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.bill;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.GuardedBy;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes that were compiled with {@code -parameters}, as Spring Boot's parent has it, and without, as javac does by itself. */
final class WithoutParameterNamesTest {
    private static final String SERVICE = """
            package com.acme;

            public class Service {
                public record Order(java.math.BigDecimal total) {}

                @dev.guardedby.spring.GuardedBy(name = "acme", fallback = "later", cost = "%s") public String pay(Order order, int times) {
                    return "paid";
                }

                private String later(Order order, int times) {
                    return "later";
                }
            }
            """;

    @TempDir
    private Path classes;

    @Test
    void argumentsByIndex_needNoNames() throws Exception {
        assertThat(billOf("#a0.total() * #p1")).isEqualTo("0 in, 0 out, 0.5 usd");
    }

    @Test
    void argumentsByName_areThoseOfTheSource_whereItWasCompiledWithThem() throws Exception {
        assertThat(billOf("#order.total() * #times", "-parameters")).isEqualTo("0 in, 0 out, 0.5 usd");
    }

    @Test
    void argumentByAName_thatTheClassDoesNotHave_failsStartUp_andIsExplained() throws Exception {
        Class<?> service = compiled("#order.total()");
        application(service)
                .withClassLoader(service.getClassLoader())
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessage(
                                "The cost expression '#order.total()' of com.acme.Service.pay(Service.Order, int) asks"
                                        + " for #order, but there is no such variable. Use #a0, #a1, #p0, #p1, #result; an argument"
                                        + " has its name only if the class was compiled with -parameters."));
    }

    private String billOf(String cost, String... options) throws Exception {
        Class<?> service = compiled(cost, options);
        Class<?> order = service.getClasses()[0];
        List<String> bill = new ArrayList<>();
        application(service).withClassLoader(service.getClassLoader()).run(context -> {
            Object quarter = order.getConstructors()[0].newInstance(new BigDecimal("0.25"));
            Object paid = service.getMethod("pay", order, int.class).invoke(context.getBean(service), quarter, 2);
            assertThat(paid).isEqualTo("paid");
            bill.add(bill(context, "acme"));
        });
        return bill.get(0);
    }

    private Class<?> compiled(String cost, String... more) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> options = new ArrayList<>(List.of(
                "-proc:none",
                "-classpath",
                Path.of(GuardedBy.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI())
                        .toString(),
                "-d",
                classes.toString()));
        options.addAll(List.of(more));
        StringWriter told = new StringWriter();
        boolean done = compiler.getTask(told, null, null, options, null, List.of(new Source(SERVICE.formatted(cost))))
                .call();
        assertThat(done).as(told.toString()).isTrue();
        URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, GuardedBy.class.getClassLoader());
        return loader.loadClass("com.acme.Service");
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///com/acme/Service.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
