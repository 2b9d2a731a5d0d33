// SPDX-License-Identifier: GPL-3.0-or-later
// Every reader of Autodiscover answers on the same octets: none may crash, hang or give more than it was
// given.
#include <cstdint>
#include <cstdlib>

#include "auth/challenge.hpp"
#include "ews/autodiscover/messages.hpp"
#include "ews/autodiscover/trust.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto& read :
       {ews::autodiscover::read_json, ews::autodiscover::read_soap, ews::autodiscover::read_pox}) {
    const auto answer = read(body);
    if (answer && (answer->target.size() > 2048 || answer->text.size() > 2048)) std::abort();
    if (!answer && answer.error().code.empty()) std::abort();
  }
  static_cast<void>(ews::autodiscover::parse_address(body));
  const std::string value(body);
  if (auth::parse_challenges({&value, 1}).size() > 32) std::abort();
  return 0;
}
