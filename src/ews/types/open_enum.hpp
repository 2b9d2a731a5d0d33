// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Enumerations of a server that may be newer than we are: a value we do not know is kept as its text and
// written back unchanged; it never fails a reply.
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::ews {

/// For each enumeration: `static constexpr std::array names{…}`, in the order of its enumerators.
template <class E>
struct EnumNames;

template <class E>
constexpr std::string_view name_of(E value) {
  return EnumNames<E>::names[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> enum_of(std::string_view text) {
  const auto& names = EnumNames<E>::names;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<E>(i);
  return std::nullopt;
}

template <class E>
class Open {
 public:
  Open() = default;
  Open(E value) : known_(value) {}
  /// `text` as the protocol spells it.
  static Open parse(std::string_view text) {
    Open open;
    open.known_ = enum_of<E>(text);
    if (!open.known_) open.text_ = text;
    return open;
  }
  std::optional<E> known() const noexcept { return known_; }
  std::string_view text() const { return known_ ? name_of(*known_) : std::string_view(text_); }

  friend bool operator==(const Open& a, const Open& b) { return a.text() == b.text(); }
  friend bool operator==(const Open& a, E b) { return a.known_ == b; }

 private:
  std::optional<E> known_;
  std::string text_;
};

}  // namespace syncline::ews
