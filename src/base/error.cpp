// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.hpp"

#include <utility>

namespace syncline {

std::string_view to_string(RetryClass retry) noexcept {
  switch (retry) {
    case RetryClass::never:
      return "never";
    case RetryClass::after:
      return "after";
    case RetryClass::now:
      return "now";
    case RetryClass::reauthenticate:
      return "reauthenticate";
    case RetryClass::rediscover:
      return "rediscover";
    case RetryClass::resync:
      return "resync";
    case RetryClass::quarantine:
      return "quarantine";
  }
  return "never";
}

std::string_view to_string(ErrorDomain domain) noexcept {
  switch (domain) {
    case ErrorDomain::input:
      return "input";
    case ErrorDomain::local:
      return "local";
    case ErrorDomain::net:
      return "net";
    case ErrorDomain::tls:
      return "tls";
    case ErrorDomain::http:
      return "http";
    case ErrorDomain::auth:
      return "auth";
    case ErrorDomain::xml:
      return "xml";
    case ErrorDomain::soap:
      return "soap";
    case ErrorDomain::ews:
      return "ews";
    case ErrorDomain::autodiscover:
      return "autodiscover";
    case ErrorDomain::mail:
      return "mail";
  }
  return "local";
}

Error Error::during(std::string what) && {
  context.push_back(std::move(what));
  return std::move(*this);
}

std::string Error::describe() const {
  std::string text = message;
  text += " (" + code + ")";
  for (const std::string& what : context) text += ", while " + what;
  return text;
}

unexpected<Error> fail(ErrorDomain domain, std::string code, std::string message, RetryClass retry) {
  return unexpected<Error>(
      Error{.domain = domain, .code = std::move(code), .message = std::move(message), .retry = retry});
}

unexpected<Error> fail(Error error) {
  return unexpected<Error>(std::move(error));
}

}  // namespace syncline
