# frozen_string_literal: true

# Reads the stage document over and over without waiting. Arguments: the generated initializer.
# Commands on standard input: "read" (answers "STAGE EPOCH SOURCE", or that nobody knows), "restart" (a new process's reader).
require "json"
require "rails"
require "active_support/all"

Rails.logger = Logger.new(File::NULL)
Rails.define_singleton_method(:root) { Pathname.new(Dir.pwd) }
require "auther_cutover"

class SteppedStageReader < AutherCutover::StageReader
  def monotonic_s
    @step = @step.to_i + 60
  end
end

eval(ARGV.fetch(0)) # rubocop:disable Security/Eval (the initializer under test)
reader = SteppedStageReader.new(AutherCutover.settings)
$stdout.sync = true
$stdin.each_line do |line|
  reader = SteppedStageReader.new(AutherCutover.settings) if line.strip == "restart"
  document = reader.current
  puts [document.stage, document.epoch, document.source].join(" ")
rescue AutherCutover::Unavailable
  puts "nobody knows"
end
