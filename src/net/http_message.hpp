// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// HTTP/1.1 messages as plain values (RFC 9110, RFC 9112).
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/body.hpp"
#include "net/url.hpp"

namespace syncline::net {

/// Header fields in the order they came; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces all fields of that name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first one's value.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::vector<std::string_view> find_all(std::string_view name) const;
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }
  std::size_t size() const noexcept { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = "GET";
  Url url;
  Headers headers;
  std::shared_ptr<Source> body;  ///< null: no body
};

struct HttpResponse {
  int status = 0;
  std::string reason;
  Headers headers;
  std::string body;  ///< empty where it went to a sink
  Url url;           ///< the one that answered, after redirects
};

}  // namespace syncline::net
