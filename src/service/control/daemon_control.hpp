// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a running daemon does for other commands of the machine: `sync` asks it for runs and is told how they
// go, `status` how mailboxes are watched.
//
//   {"do":"sync","mailboxes":["a@b"],"once":true,"takeOver":false}   no mailboxes: all that are enabled
//     {"progress":{…},"mailbox":"a@b"}…  {"outcome":{…}}…  {"notReady":{…}}…  {"end":true} | {"error":{…}}
//   {"do":"status"}
//     {"mailboxes":[{"mailbox":"a@b","by":"push","sinceMs":1000,"state":"waiting"}],
//      "servers":{"requestsWaiting":0,"throttledSeconds":0.0}}
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/control/control_channel.hpp"
#include "service/daemon/daemon.hpp"
#include "service/engine/mailbox_runner.hpp"

namespace syncline::service {

class DaemonControl {
 public:
  /// All must outlive it. `servers`: how they hold requests back.
  DaemonControl(net::Environment& environment, Organisation& organisation, Daemon& daemon,
                std::function<boost::json::object()> servers)
      : environment_(environment),
        organisation_(organisation),
        daemon_(daemon),
        servers_(std::move(servers)) {}

  /// A ControlServer's handler.
  Async<void> handle(boost::json::object request, ControlChannel& channel);

  // --- what the daemon's work tells ---

  /// A run of the mailbox begins: what those who wait for it want of it.
  RunWishes wishes(const std::string& address);
  void finished(const MailboxOutcome& outcome);

 private:
  /// One command that waits.
  struct Asker {
    explicit Asker(net::asio::any_io_executor executor) : changed(std::move(executor)) {}
    RunWishes wishes;
    std::map<std::string, bool, std::less<>> pending;                ///< mailboxes; true: their run has begun
    std::vector<MailboxOutcome> outcomes;                            ///< not told yet
    std::map<std::string, sync::RunProgress, std::less<>> progress;  ///< the newest, not told yet
    net::Event changed;
  };
  Async<void> sync(const boost::json::object& request, ControlChannel& channel);
  Async<void> follow(Asker& asker, ControlChannel& channel);
  void give_up_on_the_gone(Asker& asker);
  boost::json::object status() const;

  net::Environment& environment_;
  Organisation& organisation_;
  Daemon& daemon_;
  std::function<boost::json::object()> servers_;
  std::list<std::shared_ptr<Asker>> askers_;
};

}  // namespace syncline::service
