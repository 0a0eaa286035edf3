# frozen_string_literal: true

require_relative "../migrator_removal/step"

# Does 05_quarantine_tables.
#
# The statements, what they lock and until when they can be undone: db/migrator_removal/deploy/05_quarantine_tables.sql
class MigratorRemove05QuarantineTables < ActiveRecord::Migration[ActiveRecord::Migration.current_version]
  include MigratorRemoval::Step

  # The files open their transactions themselves, one for each part.
  disable_ddl_transaction!

  def up
    run_step("05_quarantine_tables", "deploy")
  end

  def down
    run_step("05_quarantine_tables", "revert")
  end
end
