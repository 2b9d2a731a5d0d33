// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/autodiscover/trust.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ews/autodiscover/clouds.hpp"

namespace syncline::ews::autodiscover {

namespace {

bool is_host_label(std::string_view label) noexcept {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_domain(std::string_view domain) {
  const auto labels = text::split(domain, '.');
  if (domain.size() > 253 || labels.size() < 2) return false;
  if (!std::all_of(labels.begin(), labels.end(), is_host_label)) return false;
  // An address like user@127.0.0.1 would make hosts of numbers.
  return !std::all_of(labels.back().begin(), labels.back().end(),
                      [](char c) { return c >= '0' && c <= '9'; });
}

bool is_local_part(std::string_view local) {
  if (local.empty() || local.size() > 64 || !text::is_valid_utf8(local)) return false;
  return std::none_of(local.begin(), local.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '<' ||
           c == '>' || c == '(' || c == ')' || c == ',' || c == ';' || c == ':' || c == '[' || c == ']' ||
           c == '@';
  });
}

bool is_below(std::string_view host, std::string_view dotted_suffix) noexcept {
  return host.size() > dotted_suffix.size() && host.ends_with(dotted_suffix);
}

}  // namespace

Result<Address> parse_address(std::string_view given) {
  const std::string_view text = text::trim(given);
  const auto at = text.rfind('@');
  if (at != std::string_view::npos) {
    Address address{std::string(text), text::to_lower_ascii(text.substr(at + 1))};
    if (is_local_part(text.substr(0, at)) && is_domain(address.domain)) return address;
  }
  return fail(
      ErrorDomain::input, "bad-address",
      "\"" + text::escape_for_display(text.substr(0, 320)) + "\" is not a mailbox address (user@domain)");
}

Trust::Trust(std::string mailbox_domain, std::vector<std::string> allowed)
    : domain_(text::to_lower_ascii(mailbox_domain)), allowed_(std::move(allowed)) {
  for (std::string& name : allowed_) name = text::to_lower_ascii(text::trim(name));
}

bool Trust::host(std::string_view name) const {
  if (name == domain_ || is_below(name, "." + domain_)) return true;
  if (cloud_of_host(name) != nullptr) return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [name](const std::string& allowed) {
    if (allowed.empty()) return false;
    return allowed.front() == '.' ? allowed.size() > 1 && is_below(name, allowed) : name == allowed;
  });
}

Result<void> Trust::url(const net::Url& target) const {
  if (!target.is_tls()) {
    return fail(ErrorDomain::autodiscover, "redirect-not-https",
                "It leads to " + target.authority() + " without TLS");
  }
  if (!host(target.host)) {
    return fail(ErrorDomain::autodiscover, "redirect-not-allowed",
                "It leads to " + target.host + ", which is outside " + domain_ +
                    " and not on the list of allowed hosts");
  }
  return {};
}

Result<void> Trust::address(const Address& target) const {
  if (host(target.domain) || cloud_of_domain(target.domain) != nullptr) return {};
  return fail(ErrorDomain::autodiscover, "redirect-not-allowed",
              "It leads to an address in " + target.domain + ", which is outside " + domain_ +
                  " and not on the list of allowed hosts");
}

void Trust::adopt(const Address& target) {
  allowed_.push_back(target.domain);
  allowed_.push_back("autodiscover." + target.domain);
}

}  // namespace syncline::ews::autodiscover
