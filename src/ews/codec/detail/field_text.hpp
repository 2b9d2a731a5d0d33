// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Between the text of an element and its value. Reading never fails louder than nullopt.
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "ews/types/date_time.hpp"
#include "ews/types/open_enum.hpp"

namespace syncline::ews::codec {

template <class T>
struct FieldText;

template <>
struct FieldText<std::string> {
  static std::optional<std::string> read(std::string&& text) { return std::move(text); }
  static std::string write(const std::string& value) { return text::to_xml_text(value); }
};

template <>
struct FieldText<bool> {
  static std::optional<bool> read(const std::string& text) {
    const auto value = text::trim(text);
    if (value == "1" || text::equals_ignore_case(value, "true")) return true;
    if (value == "0" || text::equals_ignore_case(value, "false")) return false;
    return std::nullopt;
  }
  static std::string write(bool value) { return value ? "true" : "false"; }
};

template <>
struct FieldText<std::int64_t> {
  static std::optional<std::int64_t> read(const std::string& text) {
    auto value = text::trim(text);
    if (value.starts_with('+')) value.remove_prefix(1);
    return text::parse_int(value);
  }
  static std::string write(std::int64_t value) { return std::to_string(value); }
};

template <>
struct FieldText<int> {
  static std::optional<int> read(const std::string& text) {
    const auto value = FieldText<std::int64_t>::read(text);
    if (!value || *value < std::numeric_limits<int>::min() || *value > std::numeric_limits<int>::max())
      return std::nullopt;
    return static_cast<int>(*value);
  }
  static std::string write(int value) { return std::to_string(value); }
};

// Without the locale: a decimal comma is no XML.
template <>
struct FieldText<double> {
  static std::optional<double> read(const std::string& text) {
    const auto value = text::trim(text);
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
    return number;
  }
  static std::string write(double value) {
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return error == std::errc{} ? std::string(buffer, end) : std::string();
  }
};

template <>
struct FieldText<DateTime> {
  static std::optional<DateTime> read(const std::string& text) { return DateTime::parse(text); }
  static std::string write(const DateTime& value) { return value.valid() ? value.text() : std::string(); }
};

template <>
struct FieldText<Date> {
  static std::optional<Date> read(const std::string& text) { return Date::parse(text); }
  static std::string write(const Date& value) { return value.valid() ? value.to_xml() : std::string(); }
};

template <>
struct FieldText<Duration> {
  static std::optional<Duration> read(const std::string& text) { return Duration::parse(text); }
  static std::string write(const Duration& value) { return value.seconds ? value.to_xml() : std::string(); }
};

template <class E>
struct FieldText<Open<E>> {
  static std::optional<Open<E>> read(const std::string& text) { return Open<E>::parse(text::trim(text)); }
  static std::string write(const Open<E>& value) { return text::to_xml_text(value.text()); }
};

template <class E>
requires std::is_enum_v<E>
struct FieldText<E> {
  static std::optional<E> read(const std::string& text) { return enum_of<E>(text::trim(text)); }
  static std::string write(E value) { return std::string(name_of(value)); }
};

template <class T>
concept HasFieldText = requires(const T& value) {
  FieldText<T>::write(value);
};

/// Values whose empty spelling means "cannot be written".
template <class T>
concept MayBeUnwritable =
    std::is_same_v<T, DateTime> || std::is_same_v<T, Date> || std::is_same_v<T, Duration>;

}  // namespace syncline::ews::codec
