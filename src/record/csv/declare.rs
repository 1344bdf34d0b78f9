//! How a table is declared: its columns, the list it is about, and a row of it; the compiler counts the cells.

/// `table!(tables, "file", [(column, kind, unit, meaning), …], list, entry => [cell, …])`
macro_rules! table {
    ($tables:ident, $name:literal, [$(($column:literal, $kind:ident, $unit:literal, $meaning:literal)),* $(,)?],
     $list:expr, $entry:pat => [$($cell:expr),* $(,)?]) => {{
        const COLUMNS: &[Column] = &[$(($column, Kind::$kind, $unit, $meaning)),*];
        let mut table = Table::new($name, COLUMNS);
        for $entry in $list {
            table.row::<{ COLUMNS.len() }>([$(Cell::from($cell)),*]);
        }
        $tables.push(table);
    }};
}
