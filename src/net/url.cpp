// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/url.hpp"

#include <boost/asio/ip/address.hpp>

#include "base/text.hpp"

namespace syncline::net {
namespace {

constexpr std::size_t max_url_octets = 8192;

unexpected<Error> bad_url(std::string why) {
  // The text itself is not repeated: it may carry user information.
  return fail(ErrorDomain::input, "bad-url", "the URL is not usable: " + std::move(why));
}

bool has_forbidden_octet(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet >= 0x7F || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
        c == '`' || c == '{' || c == '|' || c == '}') {
      return true;
    }
  }
  return false;
}

bool is_host_character(char c) {
  // RFC 1123 names; '_' because service names and badly named Windows hosts have it.
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

Result<void> parse_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) return bad_url("it contains a user name or password");
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("the bracket of the IPv6 address is not closed");
    const std::string_view literal = authority.substr(1, close - 1);
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address_v6(std::string(literal), error);
    if (error || literal.find('%') != std::string_view::npos) return bad_url("the IPv6 address is wrong");
    url.host = address.to_string();
    std::string_view rest = authority.substr(close + 1);
    if (!rest.empty()) {
      if (rest.front() != ':') return bad_url("there is text after the IPv6 address");
      has_port = true;
      port = rest.substr(1);
    }
  } else {
    const std::size_t colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = authority.substr(colon + 1);
    url.host = text::to_lower_ascii(authority.substr(0, colon));
    if (url.host.empty()) return bad_url("it has no host name");
    if (url.host.size() > 253) return bad_url("the host name is too long");
    for (const char c : url.host) {
      if (!is_host_character(c)) return bad_url("the host name has a character that does not belong there");
    }
  }
  url.port = default_port(url.scheme);
  if (has_port && !port.empty()) {
    if (port.find_first_not_of("0123456789") != std::string_view::npos)
      return bad_url("the port is not a number");
    const auto number = text::parse_int(port);
    if (!number || *number < 1 || *number > 65535) return bad_url("the port is not a number from 1 to 65535");
    url.port = static_cast<std::uint16_t>(*number);
  }
  return {};
}

/// RFC 3986 section 5.2.4, on the path alone.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      const std::size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
      path = path == "/.." ? std::string_view("/") : path.substr(3);
    } else {
      const std::size_t next = path.find('/', 1);
      out += path.substr(0, next);
      path = next == std::string_view::npos ? std::string_view() : path.substr(next);
    }
  }
  return out;
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != default_port(scheme)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::to_string() const {
  return scheme + "://" + authority() + target;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > max_url_octets) return bad_url("it is longer than 8192 octets");
  if (has_forbidden_octet(text)) {
    return bad_url("it contains a space, a control character or another character that must be escaped");
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad_url("it does not begin with http:// or https://");
  Url url;
  url.scheme = text::to_lower_ascii(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https")
    return bad_url("it does not begin with http:// or https://");
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) return bad_url("it has a fragment ('#')");
  const std::size_t authority_end = rest.find_first_of("/?");
  const auto authority = parse_authority(rest.substr(0, authority_end), url);
  if (!authority) return fail(authority.error());
  if (authority_end == std::string_view::npos) {
    url.target = "/";
  } else if (rest[authority_end] == '?') {
    url.target = "/" + std::string(rest.substr(authority_end));
  } else {
    url.target = rest.substr(authority_end);
  }
  return url;
}

Result<Url> resolve_reference(const Url& base, std::string_view location) {
  location = text::trim(location);
  if (location.size() > max_url_octets) return bad_url("it is longer than 8192 octets");
  if (has_forbidden_octet(location)) {
    return bad_url("it contains a space, a control character or another character that must be escaped");
  }
  if (location.find('#') != std::string_view::npos) return bad_url("it has a fragment ('#')");
  if (location.empty()) return base;
  if (location.starts_with("//")) return parse_url(base.scheme + ":" + std::string(location));
  // RFC 3986 section 4.2: a colon in the first segment makes it absolute.
  const std::size_t colon = location.find(':');
  if (colon != std::string_view::npos && colon < location.find_first_of("/?")) return parse_url(location);

  Url url = base;
  const std::size_t base_query = base.target.find('?');
  const std::string base_path = base.target.substr(0, base_query);
  if (location.front() == '?') {
    url.target = base_path + std::string(location);
    return url;
  }
  const std::size_t query_at = location.find('?');
  const std::string_view query =
      query_at == std::string_view::npos ? std::string_view() : location.substr(query_at);
  std::string path(location.substr(0, query_at));
  if (path.front() != '/') path = base_path.substr(0, base_path.rfind('/') + 1) + path;
  url.target = remove_dot_segments(path);
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  url.target += query;
  return url;
}

}  // namespace syncline::net
