# frozen_string_literal: true

# Drives the generated KeySet over standard input, with a clock that can be set forward.
# Commands: "new URL", "find KID", "advance SECONDS", "threads N KID". One line of answer for each.
$LOAD_PATH.unshift(File.expand_path("lib", Dir.pwd))
require "bundler/setup"
require "logger"
require "json"
require "rails"
require "active_support/all"
require "auther_cutover"

Rails.logger = Logger.new(File::NULL)
counters = Object.new.tap { |object| object.define_singleton_method(:add) { |*, **| nil } }
AutherCutover.instance_variable_set(:@counters, counters)

class SteppedKeySet < AutherCutover::KeySet
  attr_accessor :ahead_s

  def now_s
    super + ahead_s.to_f
  end
end

def look(key_set, kid)
  key_set.find(kid)
  "found"
rescue AutherCutover::Rejected => error
  "rejected #{error.reason}"
rescue AutherCutover::Unavailable => error
  "unavailable #{error.retry_after_s}"
end

key_set = nil
$stdout.sync = true
$stdin.each_line do |line|
  command, *values = line.split
  case command
  when "new"
    key_set = SteppedKeySet.new(values[0])
    puts "ok"
  when "find" then puts look(key_set, values[0])
  when "advance"
    key_set.ahead_s = key_set.ahead_s.to_f + Float(values[0])
    puts "ok"
  when "threads"
    threads = Array.new(Integer(values[0])) { Thread.new { look(key_set, values[1]) } }
    puts threads.map(&:value).tally.to_a.join(" ")
  end
end
