package dev.guardedby.spring.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.bind.Name;

/** The keys that {@link GuardedByProperties} has, read off its records, so that none is listed twice. */
final class Schema {
    /** The keys of one breaker. */
    static final Map<String, RecordComponent> BREAKER = keys(GuardedByProperties.Breaker.class);
    /** The one key of a breaker that says where to look instead of what to do. */
    static final String EXTENDS = "extends";

    static final String MAX_KEYS = "max-keys";
    static final String TAG_KEYS = "tag-keys";
    /** What is said of a breaker's keys, and the breaker itself does not know. */
    static final Set<String> OF_KEYS = Set.of(MAX_KEYS, TAG_KEYS);

    private Schema() {}

    /** The keys of a record as they are written, in order. */
    static Map<String, RecordComponent> keys(Class<?> type) {
        Map<String, RecordComponent> keys = new LinkedHashMap<>();
        for (RecordComponent component : type.getRecordComponents()) {
            keys.put(key(type, component), component);
        }
        return keys;
    }

    /** What stands below a key: the type of its value, that of the values in its map, or that of the records in its list. */
    static Class<?> typeBelow(RecordComponent component) {
        if (isMap(component)) {
            return (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[1];
        }
        if (isList(component)
                && ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0]
                        instanceof Class<?> element
                && element.isRecord()) {
            return element;
        }
        return component.getType();
    }

    /** A record and all records that its keys lead to. */
    static Set<Class<?>> records(Class<?> type) {
        Set<Class<?>> records = new LinkedHashSet<>(Set.of(type));
        for (RecordComponent component : type.getRecordComponents()) {
            if (typeBelow(component).isRecord()) {
                records.addAll(records(typeBelow(component)));
            }
        }
        return records;
    }

    /** What a record says of one of its keys; null if nothing. */
    static @Nullable Object value(Record written, RecordComponent component) {
        try {
            return component.getAccessor().invoke(written);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the accessor of a record cannot fail", e);
        }
    }

    static boolean isMap(RecordComponent component) {
        return component.getType() == Map.class;
    }

    static boolean isList(RecordComponent component) {
        return component.getType() == List.class;
    }

    private static String key(Class<?> type, RecordComponent component) {
        try {
            Name name = type.getDeclaredField(component.getName()).getAnnotation(Name.class);
            return name == null ? DataObjectPropertyName.toDashedForm(component.getName()) : name.value();
        } catch (NoSuchFieldException e) {
            throw new AssertionError("a record has a field for each component", e);
        }
    }
}
