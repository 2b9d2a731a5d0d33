// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Mail on its way to the smart host: tried at once, again after failures that pass, given back after those
// that do not.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "tools/exchange-sim/transport/non_delivery.hpp"
#include "tools/exchange-sim/transport/settings.hpp"

namespace exchange_sim {

/// A message that waits.
struct WaitingMail {
  std::string from;
  std::vector<std::string> to;  ///< those who are left
  std::string message_id;
  unsigned attempts = 0;
  std::string last_trouble;
};

class MailQueue {
 public:
  /// A message that some of its recipients will not get.
  using GiveBack = std::function<void(const OutgoingMail& mail, const std::vector<Refusal>& refusals)>;

  /// `environment` must outlive the queue and what runs on the executor; `give_back` is called from there.
  MailQueue(net::Environment& environment, TransportSettings settings, GiveBack give_back);
  ~MailQueue();
  MailQueue(const MailQueue&) = delete;
  MailQueue& operator=(const MailQueue&) = delete;

  void add(OutgoingMail mail);
  /// What waits is tried again at once. An empty smart host: it goes on waiting.
  void set_smart_host(SmartHost smart_host);
  const SmartHost& smart_host() const noexcept;
  std::vector<WaitingMail> waiting() const;
  /// Recipients the smart host took, so far.
  std::uint64_t handed_over() const noexcept;
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace exchange_sim
