// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How values of settings are read from and written to JSON's shapes, by their C++ type.
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"
#include "model/enum_words.hpp"
#include "service/organisation/setting.hpp"

namespace syncline::service {

inline constexpr std::size_t setting_text_limit_octets = 4096;
inline constexpr std::size_t setting_list_limit = 1000;

/// "2026-11-22" (midnight UTC) or RFC 3339 with an offset.
std::optional<SystemTime> parse_setting_time(std::string_view text);
/// The shortest of these that says it; always UTC.
std::string print_setting_time(SystemTime time);

/// A text without control characters, valid UTF-8, not empty. A URL that holds a user's name or password is
/// wrong.
Wrong read_value(const boost::json::value& value, std::string& into);
Wrong read_value(const boost::json::value& value, bool& into);
Wrong read_value(const boost::json::value& value, SystemTime& into);
Wrong read_value(const boost::json::value& value, std::vector<std::string>& into);
/// A whole number from `least` to `most`.
Wrong read_integer(const boost::json::value& value, std::int64_t least, std::int64_t most,
                   std::int64_t& into);
/// "is not one of a, b, c"
std::string not_one_of(const boost::json::value& value, const std::vector<std::string_view>& words);

inline Wrong read_value(const boost::json::value& value, int& into) {
  std::int64_t number = 0;
  if (Wrong wrong =
          read_integer(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max(), number))
    return wrong;
  into = static_cast<int>(number);
  return std::nullopt;
}
inline Wrong read_value(const boost::json::value& value, std::uint64_t& into) {
  std::int64_t number = 0;
  if (Wrong wrong = read_integer(value, 0, std::int64_t{1} << 50, number)) return wrong;
  into = static_cast<std::uint64_t>(number);
  return std::nullopt;
}
template <class Rep, class Period>
Wrong read_value(const boost::json::value& value, std::chrono::duration<Rep, Period>& into) {
  std::int64_t number = 0;
  if (Wrong wrong = read_integer(value, 1, 1'000'000, number)) return wrong;
  into = std::chrono::duration<Rep, Period>(number);
  return std::nullopt;
}
template <model::Worded E>
Wrong read_value(const boost::json::value& value, E& into) {
  if (const auto* text = value.if_string()) {
    if (const auto found = model::from_word<E>(std::string_view(*text))) {
      into = *found;
      return std::nullopt;
    }
  }
  std::vector<std::string_view> words;
  for (const auto& entry : model::EnumWords<E>::all) words.push_back(entry.word);
  return not_one_of(value, words);
}
template <class T>
Wrong read_value(const boost::json::value& value, std::optional<T>& into) {
  T read{};
  if (Wrong wrong = read_value(value, read)) return wrong;
  into = std::move(read);
  return std::nullopt;
}

inline boost::json::value write_value(const std::string& value) {
  return boost::json::value(value);
}
inline boost::json::value write_value(bool value) {
  return value;
}
inline boost::json::value write_value(int value) {
  return value;
}
inline boost::json::value write_value(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
inline boost::json::value write_value(SystemTime value) {
  return boost::json::value(print_setting_time(value));
}
boost::json::value write_value(const std::vector<std::string>& value);
template <class Rep, class Period>
boost::json::value write_value(std::chrono::duration<Rep, Period> value) {
  return static_cast<std::int64_t>(value.count());
}
template <model::Worded E>
boost::json::value write_value(E value) {
  return boost::json::value(model::word_of(value));
}
template <class T>
boost::json::value write_value(const std::optional<T>& value) {
  if (!value) return nullptr;
  return write_value(*value);
}

template <class T>
inline constexpr bool is_time_type =
    std::is_same_v<T, SystemTime> || std::is_same_v<T, std::optional<SystemTime>>;

/// `member`: a generic lambda from the owner to its member. A member that is as in a fresh owner is not
/// stated.
template <class Owner, class Member>
Setting<Owner> setting(std::string_view key, Member member, std::string_view help, std::string_view example) {
  using Value = std::remove_cvref_t<decltype(member(std::declval<Owner&>()))>;
  return {
      key,
      help,
      example,
      is_time_type<Value>,
      [member](const Owner& owner) -> boost::json::value {
        static const Owner fresh{};
        if (member(owner) == member(fresh)) return nullptr;
        return write_value(member(owner));
      },
      [member](Owner& owner, const boost::json::value& value) { return read_value(value, member(owner)); }};
}

/// One that is always written, though it be the first of its words.
template <class Owner, class Member>
Setting<Owner> required_setting(std::string_view key, Member member, std::string_view help,
                                std::string_view example) {
  Setting<Owner> made = setting<Owner>(key, member, help, example);
  made.get = [member](const Owner& owner) { return write_value(member(owner)); };
  return made;
}

/// A whole number of a range.
template <class Owner, class Member>
Setting<Owner> limited_setting(std::string_view key, Member member, std::int64_t least, std::int64_t most,
                               std::string_view help, std::string_view example) {
  Setting<Owner> made = setting<Owner>(key, member, help, example);
  made.set = [least, most, inner = made.set](Owner& owner, const boost::json::value& value) -> Wrong {
    std::int64_t number = 0;
    if (Wrong wrong = read_integer(value, least, most, number)) return wrong;
    return inner(owner, value);
  };
  return made;
}

}  // namespace syncline::service

/// Names a member for `setting`: SYNCLINE_MEMBER(incoming.port).
#define SYNCLINE_MEMBER(path) \
  [](auto& owner) -> auto& {  \
    return owner.path;        \
  }
