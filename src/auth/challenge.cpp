// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/challenge.hpp"

#include "base/text.hpp"

namespace syncline::auth {

namespace {

constexpr std::size_t max_challenges = 32;
constexpr std::size_t max_parameters = 64;

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// RFC 9110 section 5.6.2, tchar.
bool is_token_char(char c) noexcept {
  return is_alphanumeric(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_token68_char(char c) noexcept {
  return is_alphanumeric(c) || (c != '\0' && std::string_view("-._~+/").find(c) != std::string_view::npos);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }
  void skip_spaces() noexcept {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  void skip_separators() noexcept {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == ',')) {
      rest_.remove_prefix(1);
    }
  }
  void skip_one() noexcept { rest_.remove_prefix(1); }

  std::string_view token() noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && is_token_char(rest_[length])) ++length;
    const std::string_view found = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return found;
  }

  bool take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A token68 is only one if a comma or the end follows: "realm=…" begins like one.
  std::string_view token68() noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && is_token68_char(rest_[length])) ++length;
    if (length == 0) return {};
    while (length < rest_.size() && rest_[length] == '=') ++length;
    std::size_t after = length;
    while (after < rest_.size() && (rest_[after] == ' ' || rest_[after] == '\t')) ++after;
    if (after < rest_.size() && rest_[after] != ',') return {};
    const std::string_view found = rest_.substr(0, length);
    rest_.remove_prefix(after);
    return found;
  }

  std::string value() {
    std::string out;
    if (!take('"')) {
      // Servers leave values unquoted that are no tokens (Exchange's client-request-id): take up to the
      // separator.
      while (!rest_.empty() && rest_.front() != ',' && rest_.front() != ' ' && rest_.front() != '\t') {
        out += rest_.front();
        rest_.remove_prefix(1);
      }
      return out;
    }
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') break;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      out += c;
    }
    return out;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<std::string_view> Challenge::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<Challenge> parse_challenges(std::span<const std::string> values) {
  std::vector<Challenge> found;
  for (const std::string& text : values) {
    Reader reader(text);
    Challenge* current = nullptr;
    while (true) {
      reader.skip_separators();
      if (reader.at_end()) break;
      const std::string_view name = reader.token();
      if (name.empty()) {
        reader.skip_one();
        continue;
      }
      reader.skip_spaces();
      if (reader.take('=')) {
        reader.skip_spaces();
        std::string value = reader.value();
        if (current != nullptr && current->parameters.size() < max_parameters) {
          current->parameters.emplace_back(text::to_lower_ascii(name), std::move(value));
        }
        continue;
      }
      if (found.size() == max_challenges) return found;
      found.emplace_back();
      current = &found.back();
      current->scheme = text::to_lower_ascii(name);
      // "NTLM Negotiate" is not a token68 but never sent either; a scheme is always followed by a comma or
      // its data.
      current->token68 = reader.token68();
    }
  }
  return found;
}

const Challenge* find_challenge(std::span<const Challenge> challenges, std::string_view scheme) noexcept {
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == scheme) return &challenge;
  }
  return nullptr;
}

}  // namespace syncline::auth
