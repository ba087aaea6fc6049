package dev.guardedby.spring.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotContribution;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindableRuntimeHintsRegistrar;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;

/**
 * Tells a native image what of the settings is found by reflection: the records that they are bound to, and the exception
 * classes that they name.
 *
 * <p>A class that is named only where the image runs cannot be found there. What is wrong is passed over: settings may be
 * complete only there, too, and start-up will judge them.
 */
final class SettingsHints implements BeanFactoryInitializationAotProcessor {
    private static final Set<String> CLASS_KEYS = Schema.BREAKER.entrySet().stream()
            .filter(entry -> namesClasses(entry.getValue()))
            .map(entry -> Spelling.canonical(entry.getKey()))
            .collect(Collectors.toUnmodifiableSet());

    @Override
    public @Nullable BeanFactoryInitializationAotContribution processAheadOfTime(
            ConfigurableListableBeanFactory beans) {
        if (beans.getBeanNamesForType(ConfiguredBreakers.class, false, false).length == 0) {
            return null;
        }
        ConfigurableEnvironment environment = beans.getBean(ConfigurableEnvironment.class);
        Set<Class<?>> named = named(environment, beans.getBeanClassLoader());
        return (generation, code) -> register(generation.getRuntimeHints(), named);
    }

    private static void register(RuntimeHints hints, Set<Class<?>> named) {
        BindableRuntimeHintsRegistrar.forTypes(
                        Schema.records(GuardedByProperties.class).toArray(Class<?>[]::new))
                .registerHints(hints);
        for (Class<?> type : Schema.records(GuardedByProperties.class)) {
            // The schema is read off them.
            readable(hints.reflection(), type);
        }
        named.forEach(type -> hints.reflection().registerType(type));
    }

    private static void readable(ReflectionHints hints, Class<?> type) {
        for (RecordComponent component : type.getRecordComponents()) {
            hints.registerMethod(component.getAccessor(), ExecutableMode.INVOKE);
            hints.registerType(type, record -> record.withField(component.getName()));
        }
    }

    /** The classes that the settings of breakers, templates and defaults name, as far as they are there. */
    private static Set<Class<?>> named(ConfigurableEnvironment environment, @Nullable ClassLoader loader) {
        Set<Class<?>> named = new LinkedHashSet<>();
        for (IterableConfigurationPropertySource source :
                Sources.of(environment).listable()) {
            Sources.names(source)
                    .filter(SettingsHints::isAboutClasses)
                    .map(source::getConfigurationProperty)
                    .flatMap(property -> texts(property, environment))
                    .filter(name -> ClassUtils.isPresent(name, loader))
                    .forEach(name -> named.add(ClassUtils.resolveClassName(name, loader)));
        }
        return named;
    }

    private static Stream<String> texts(@Nullable ConfigurationProperty property, ConfigurableEnvironment environment) {
        if (property == null) {
            return Stream.empty();
        }
        String text = environment.resolvePlaceholders(property.getValue().toString());
        return StringUtils.commaDelimitedListToSet(text).stream().map(String::trim);
    }

    /** Whether a key that names classes is in it: {@code guardedby.breakers.llm.ignore-exceptions[0]}. */
    private static boolean isAboutClasses(ConfigurationPropertyName name) {
        for (int i = 1; i < name.getNumberOfElements(); i++) {
            if (CLASS_KEYS.contains(Spelling.canonical(name.getElement(i, Form.UNIFORM)))) {
                return true;
            }
        }
        return false;
    }

    private static boolean namesClasses(RecordComponent component) {
        if (!Schema.isList(component)) {
            return false;
        }
        Type element = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
        return element == Class.class
                || (element instanceof ParameterizedType type && type.getRawType() == Class.class);
    }
}
